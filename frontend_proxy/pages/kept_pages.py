"""Pages that were rendered before from the same values: rendering is more than half of a page's work."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

MOST = 128
LARGEST = 64 * 1024
"""Bytes of a page that is kept: 8 MiB in all, and as much again at most for what the pages were made of."""


class KeptPages:
    """The last MOST pages by all that they were made of."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Hashable, tuple[object, bytes]] = OrderedDict()

    def page(self, made_of: Hashable, menu: object, render: Callable[[], bytes]) -> bytes:
        """What `render` made or makes. `made_of`: all that it reads but the `menu`, which has to be the same object."""
        kept = self._pages.get(made_of)
        if kept is not None and kept[0] is menu:
            self._pages.move_to_end(made_of)
            return kept[1]
        content = render()
        self._pages.pop(made_of, None)
        if len(content) <= LARGEST:
            self._pages[made_of] = menu, content
            if len(self._pages) > MOST:
                self._pages.popitem(last=False)
        return content
