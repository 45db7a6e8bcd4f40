"""The methods of a page, as `Allow` names them and OPTIONS answers them (RFC 9110 §9.3.2, §9.3.7, §10.2.1)."""

from frontend_proxy.asgi import App, Message, Receive, Scope, Send

_NONE = "-"
"""No method: a page refuses it with all the methods that it has. Litestar's own OPTIONS leaves some of them out."""


def allow(methods: str) -> str:
    """The value of `Allow` for a page with these methods, comma-separated."""
    names = {name.strip() for name in methods.split(",") if name.strip()} | {"OPTIONS"}
    return ", ".join(sorted(names | {"HEAD"} if "GET" in names else names))


def answered(pages: App) -> App:
    """`pages`, with HEAD answered as GET (the server leaves the content out), and OPTIONS with what a page allows."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if method == "HEAD":
            await pages({**scope, "method": "GET"}, receive, send)
        elif method == "OPTIONS":
            await pages({**scope, "method": _NONE}, receive, _Options(send).send)
        else:
            await pages(scope, receive, send)

    return answer


class _Options:
    """Makes 204 with `Allow` of the 405 that a page answers; what is another refusal stays one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._found = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 405:
            self._found = True
            headers = [(name, value) for name, value in message["headers"] if name.lower() == b"allow"]
            message = {**message, "status": 204, "headers": headers}
        elif self._found:
            message = {**message, "body": b""}
        await self._send(message)
