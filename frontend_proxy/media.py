"""/media: pictures, passed on from the gateway without anybody's session: they are the same for everybody."""

from multidict import CIMultiDict

from frontend_proxy import request_context
from frontend_proxy.asgi import Receive, Scope, Send
from frontend_proxy.forwarding import RequestBody, stream
from frontend_proxy.problems import Problem
from frontend_proxy.upstream import Upstream

_CONDITIONS = (b"if-none-match", b"if-modified-since", b"range")


class Media:
    """The ASGI application of /media. Pictures are named by their content, and kept for ever."""

    def __init__(self, gateway: Upstream) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            raise Problem(405, "", "Pictures are only read.", headers={"Allow": "GET, HEAD"})
        headers: CIMultiDict[str] = CIMultiDict(
            (name.decode(), value.decode("latin-1"))
            for name, value in scope["headers"]
            if name in _CONDITIONS
        )
        headers = request_context.of(scope).with_forwarding_headers(headers)
        headers["Accept-Encoding"] = "identity"
        response = await self._gateway.send(scope["method"], scope["raw_path"].decode("ascii"), headers)
        await stream(response, self._gateway, [], RequestBody(receive, []), send)
