"""How many requests may wait for others: a process has room for 512, those that need not wait among them."""

MOST = 256


class Waiting:
    """Those that wait, over all configurations of the plugin."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._count = 0

    @property
    def room(self) -> bool:
        return self._count < self._most

    def __enter__(self) -> None:
        self._count += 1

    def __exit__(self, *_: object) -> None:
        self._count -= 1
