"""What is asked of the Admin API's port, and the status that the one who asks gets, on Kong and on the stand-in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

OPEN_TO_ALL = (
    '_format_version: "3.0"\nservices: [{name: open, url: "http://127.0.0.1:9", routes: [{paths: [/]}]}]\n'
)
MULTIPART = f'--x\r\nContent-Disposition: form-data; name="config"\r\n\r\n{OPEN_TO_ALL}\r\n--x--\r\n'.encode()


@dataclass(frozen=True)
class Asked:
    """`host` None: no such header; `{port}` in it, in the target and in headers is the port that is asked."""

    line: str
    status: int
    headers: tuple[str, ...] = ()
    host: str | None = "localhost:{port}"
    body: bytes = b""

    def __str__(self) -> str:
        return " ".join((self.line, f"Host: {self.host}", *self.headers))


FORM = "Content-Type: multipart/form-data; boundary=x"
READING = [
    Asked(f"{method} {target} HTTP/1.1", 200)
    for method in ("GET", "HEAD")
    for target in (
        "/",
        "/status",
        "/services",
        "/routes",
        "/plugins",
        "/services/bff",
        "/services/bff/routes",
    )
]
OWN_NAMES = [
    Asked("GET /status HTTP/1.1", 200, host=host)
    for host in ("localhost", "LOCALHOST:{port}", "127.0.0.1", "127.0.0.1:8001", "127.1.2.3", "[::1]:{port}")
]
OWN_PAGES = [
    Asked("GET /status HTTP/1.1", 200, ("Origin: http://localhost:{port}",)),
    Asked("GET /status HTTP/1.1", 200, ("Sec-Fetch-Site: none",)),
    Asked("GET /status HTTP/1.1", 200, ("Sec-Fetch-Site: same-origin",)),
]
WRITING = [
    Asked("POST /config HTTP/1.1", 405, (FORM,), body=MULTIPART),
    Asked("POST /config?check_hash=1 HTTP/1.1", 405, ("Content-Type: application/json",), body=b"{}"),
    Asked(
        "POST /services HTTP/1.1", 405, ("Content-Type: application/x-www-form-urlencoded",), body=b"name=x"
    ),
    Asked("PUT /debug/node/log-level/debug HTTP/1.1", 405),
    Asked("DELETE /cache HTTP/1.1", 405),
    Asked("PATCH /services/bff HTTP/1.1", 405, body=b"{}"),
    Asked("POST /schemas/services/validate HTTP/1.1", 405, body=b"{}"),
    Asked(
        "OPTIONS /config HTTP/1.1",
        405,
        ("Origin: http://evil.example", "Access-Control-Request-Method: POST"),
    ),
    Asked("POST /config HTTP/1.0", 405, (FORM,), body=MULTIPART),
    Asked("GET /config HTTP/1.1", 403, (FORM, "X-HTTP-Method-Override: POST"), body=MULTIPART),
    Asked("GET /services?_method=POST HTTP/1.1", 200),  # reads: nothing there knows the parameter
]
OTHER_SITES = [
    *(
        Asked("GET /status HTTP/1.1", 421, host=host)
        for host in (
            "evil.example",
            "evil.example:{port}",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
        )
    ),
    *(Asked("GET /status HTTP/1.1", 421, host=host) for host in ("0.0.0.0:{port}", "[::2]", "kong:8001")),
    Asked("GET /status HTTP/1.0", 421, host=None),
    Asked("GET http://evil.example/status HTTP/1.1", 421),
    *(
        Asked("GET /status HTTP/1.1", 403, (f"Origin: {origin}",))
        for origin in ("null", "http://evil.example", "http://localhost:3000", "https://localhost:{port}")
    ),
    Asked("GET /services HTTP/1.1", 403, ("Sec-Fetch-Site: cross-site",)),
    Asked("GET /services HTTP/1.1", 403, ("Sec-Fetch-Site: same-site",)),
]
HIDDEN = [
    Asked(f"GET {target} HTTP/1.1", 403)
    for target in (
        *("/config", "//config", "/config/../services", "/services/../config", "/services/%2e%2e/config"),
        *(
            "/cache/x",
            "/consumers",
            "/key-auths",
            "/certificates",
            "/keys",
            "/vaults",
            "/debug/node/log-level",
        ),
        *("/timers", "/statusx", "/Config"),
    )
]
EVERYTHING = [*READING, *OWN_NAMES, *OWN_PAGES, *WRITING, *OTHER_SITES, *HIDDEN]


async def status(port: int, asked: Asked, address: str = "127.0.0.1") -> int:
    """The status of the answer."""
    reader, writer = await asyncio.open_connection(address, port)
    lines = [asked.line, *([f"Host: {asked.host}"] if asked.host else []), *asked.headers]
    if asked.body:
        lines.append(f"Content-Length: {len(asked.body)}")
    lines.append("Connection: close")
    try:
        text = "\r\n".join([*lines, "", ""]).replace("{port}", str(port))
        writer.write(text.encode() + asked.body)
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()
