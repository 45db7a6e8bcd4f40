"""Requests framed in every way that has led two hops apart, and the one right reading of each.

`reads` are the requests that a server finds in the bytes (RFC 9112): method, target and body. `ends`: what follows them
is refused and the connection closed. `/api/hidden` is in bodies: whoever takes it for a request has been fooled.
`/api/next` follows what is refused: who reads more kindly, as nginx does, reads it as well.
"""

from typing import NamedTuple

HOST = b"Host: shop.example\r\n"
HIDDEN = b"GET /api/hidden HTTP/1.1\r\n" + HOST + b"\r\n"
NEXT = b"GET /api/next HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET /api/last HTTP/1.1\r\n" + HOST + b"\r\n"

Read = tuple[str, str, bytes]


class Case(NamedTuple):
    name: str
    raw: bytes
    reads: tuple[Read, ...]
    ends: bool = False


THE_LAST: Read = ("GET", "/api/last", b"")
THE_NEXT: Read = ("GET", "/api/next", b"")


def _post(headers: bytes, body: bytes = b"", version: bytes = b"1.1", target: bytes = b"/api/x") -> bytes:
    return b"POST " + target + b" HTTP/" + version + b"\r\n" + HOST + headers + b"\r\n" + body


def _served(name: str, headers: bytes, sent: bytes, body: bytes) -> Case:
    """A request whose body is read as `body`; the one that follows it is its own."""
    return Case(name, _post(headers, sent) + LAST, (("POST", "/api/x", body), THE_LAST))


def _refused(name: str, raw: bytes) -> Case:
    return Case(name, raw + NEXT, (), ends=True)


def _length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(body)


def _chunks(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


CHUNKED = b"Transfer-Encoding: chunked\r\n"

_OFFERS = {
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    "any": b"Connection: keep-alive, uPgRaDe\r\nUpgrade: anything\r\n",
    "tls": b"Upgrade: TLS/1.0\r\nConnection: upgrade\r\n",
    "two lines": b"Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n",
    "without connection": b"Upgrade: websocket\r\n",
    "without upgrade": b"Connection: upgrade\r\n",
}
_UPGRADES = [
    case
    for name, offer in _OFFERS.items()
    for case in (
        _served(f"upgrade, {name}, length", offer + _length(HIDDEN), HIDDEN, HIDDEN),
        _served(f"upgrade, {name}, length first", _length(HIDDEN) + offer, HIDDEN, HIDDEN),
        _served(f"upgrade, {name}, chunked", offer + CHUNKED, _chunks(HIDDEN), HIDDEN),
        _served(f"upgrade, {name}, no body", offer + b"Content-Length: 0\r\n", b"", b""),
        _served(
            f"upgrade, {name}, body of lines then a request",
            offer + _length(b"\r\n" * 40 + HIDDEN),
            b"\r\n" * 40 + HIDDEN,
            b"\r\n" * 40 + HIDDEN,
        ),
    )
]
_UPGRADES += [
    Case(
        "upgrade, GET",
        b"GET /api/x HTTP/1.1\r\n" + HOST + _OFFERS["h2c"] + b"\r\n" + LAST,
        (("GET", "/api/x", b""), THE_LAST),
    ),
    Case(
        "upgrade, twice",
        _post(_OFFERS["h2c"] + b"Content-Length: 2\r\n", b"ab")
        + _post(_OFFERS["websocket"] + b"Content-Length: 2\r\n", b"cd")
        + LAST,
        (("POST", "/api/x", b"ab"), ("POST", "/api/x", b"cd"), THE_LAST),
    ),
    Case(
        "upgrade, close",
        _post(b"Connection: close, upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n", b"ab") + NEXT,
        (("POST", "/api/x", b"ab"),),
        ends=True,
    ),
    Case(
        "upgrade, bad chunk",
        _post(_OFFERS["h2c"] + CHUNKED, b"zz\r\n") + NEXT,
        (),
        ends=True,
    ),
    _refused(
        "upgrade, both framings", _post(_OFFERS["h2c"] + b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n")
    ),
    _refused("upgrade, unknown coding", _post(_OFFERS["h2c"] + b"Transfer-Encoding: identity\r\n")),
]

_LENGTHS = [
    _served("length", _length(HIDDEN), HIDDEN, HIDDEN),
    _served("length with zeros", b"Content-Length: 0002\r\n", b"ab", b"ab"),
    *(
        _refused(f"length {name}", _post(headers, b"ab"))
        for name, headers in {
            "twice": b"Content-Length: 2\r\nContent-Length: 2\r\n",
            "twice, different": b"Content-Length: 0\r\nContent-Length: 2\r\n",
            "as list": b"Content-Length: 2, 2\r\n",
            "signed": b"Content-Length: +2\r\n",
            "negative": b"Content-Length: -2\r\n",
            "hexadecimal": b"Content-Length: 0x2\r\n",
            "empty": b"Content-Length: \r\n",
            "with a space": b"Content-Length: 2 2\r\n",
            "with a control": b"Content-Length: \x0b2\r\n",
            "beyond 64 bits": b"Content-Length: 18446744073709551618\r\n",
            "before a colon": b"Content-Length : 2\r\n",
            "and coding": b"Content-Length: 2\r\n" + CHUNKED,
            "after coding": CHUNKED + b"Content-Length: 2\r\n",
        }.items()
    ),
]

_CODINGS = [
    _served("chunked", CHUNKED, _chunks(HIDDEN), HIDDEN),
    _served("chunked, upper case", b"transfer-ENCODING: CHUNKED\r\n", _chunks(HIDDEN), HIDDEN),
    *(
        _refused(f"coding {name}", _post(headers, b"0\r\n\r\n"))
        for name, headers in {
            "identity": b"Transfer-Encoding: identity\r\n",
            "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n",
            "identity, chunked": b"Transfer-Encoding: identity, chunked\r\n",
            "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n",
            "gzip and chunked": b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            "twice": CHUNKED + CHUNKED,
            "xchunked": b"Transfer-Encoding: xchunked\r\n",
            "quoted": b'Transfer-Encoding: "chunked"\r\n',
            "after vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
            "before a colon": b"Transfer-Encoding : chunked\r\n",
            "in a folded line": b"Transfer-Encoding:\r\n chunked\r\n",
            "with a parameter": b"Transfer-Encoding: chunked;a=b\r\n",
            "with an empty one": b"Transfer-Encoding: chunked,\r\n",
        }.items()
    ),
    _refused("coding in HTTP/1.0", _post(CHUNKED, b"0\r\n\r\n", version=b"1.0")),
]

_CHUNKS = [
    _served("chunk extension", CHUNKED, b"2;name=value\r\nab\r\n0\r\n\r\n", b"ab"),
    _served("chunk size with zeros", CHUNKED, b"00002\r\nab\r\n000\r\n\r\n", b"ab"),
    _served("trailer", CHUNKED, b"2\r\nab\r\n0\r\nX-User-Id: forged\r\n\r\n", b"ab"),
    _served(
        "trailer that offers an upgrade",
        CHUNKED,
        b"2\r\nab\r\n0\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"ab",
    ),
    *(
        _refused(f"chunk {name}", _post(CHUNKED, body))
        for name, body in {
            "ended by LF": b"2\nab\r\n0\r\n\r\n",
            "ended by CR": b"2\r\rab\r\n0\r\n\r\n",
            "data ended by LF": b"2\r\nab\n0\r\n\r\n",
            "data without end": b"2\r\nab0\r\n\r\n",
            "extension with LF": b"2;a\nab\r\n0\r\n\r\n",
            "extension with CR": b"2;a\rb\r\nab\r\n0\r\n\r\n",
            "extension with quoted LF": b'2;a="\n"\r\nab\r\n0\r\n\r\n',
            "size with a space": b"2 \r\nab\r\n0\r\n\r\n",
            "size after a space": b" 2\r\nab\r\n0\r\n\r\n",
            "size with 0x": b"0x2\r\nab\r\n0\r\n\r\n",
            "size with a sign": b"+2\r\nab\r\n0\r\n\r\n",
            "size negative": b"-2\r\nab\r\n0\r\n\r\n",
            "size with an underscore": b"0_2\r\nab\r\n0\r\n\r\n",
            "size beyond 64 bits": b"10000000000000002\r\nab\r\n0\r\n\r\n",
            "size empty": b"\r\nab\r\n0\r\n\r\n",
            "size not a number": b"zz\r\nab\r\n0\r\n\r\n",
            "trailer with a length": b"2\r\nab\r\n0\r\nContent-Length: 3\r\n\r\n",
            "trailer with a coding": b"2\r\nab\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "trailer ended by LF": b"2\r\nab\r\n0\r\nA: b\n\r\n",
            "end by LF": b"2\r\nab\r\n0\r\n\n",
        }.items()
    ),
]


def _get(lines: bytes, target: bytes = b"/api/x") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + lines + b"\r\n"


_HEADS = [
    Case("CRLF first", b"\r\n\r\n" + _get(HOST), (("GET", "/api/x", b""),)),
    *(
        _refused(f"head {name}", raw)
        for name, raw in {
            "of bare LF": b"GET /api/x HTTP/1.1\nHost: shop.example\n\n",
            "with a bare LF": b"GET /api/x HTTP/1.1\r\nHost: shop.example\nX-A: b\r\n\r\n",
            "with a bare CR": _get(HOST + b"X-A: a\rb\r\n"),
            "with CR CR LF": _get(HOST + b"X-A: a\r\r\n"),
            "with CR before a hidden length": _get(HOST + b"X-A: a\rContent-Length: 5\r\n"),
            "folded": _get(HOST + b"X-A: a\r\n b\r\n"),
            "folded first": b"GET /api/x HTTP/1.1\r\n X-A: a\r\n" + HOST + b"\r\n",
            "with NUL": _get(HOST + b"X-A: a\x00b\r\n"),
            "with a control": _get(HOST + b"X-A: a\x01b\r\n"),
            "space before the colon": _get(HOST + b"X-A : b\r\n"),
            "tab before the colon": _get(HOST + b"X-A\t: b\r\n"),
            "space in a name": _get(HOST + b"X A: b\r\n"),
            "NUL in a name": _get(HOST + b"X\x00A: b\r\n"),
            "empty name": _get(HOST + b": b\r\n"),
            "without a colon": _get(HOST + b"nothing\r\n"),
            "without a host": _get(b"Accept: */*\r\n"),
            "of two hosts": _get(HOST + b"Host: evil.example\r\n"),
            "with HTTP/0.9": b"GET /api/x\r\n",
            "with HTTP/0.9 named": b"GET /api/x HTTP/0.9\r\n" + HOST + b"\r\n",
            "with HTTP/1.2": b"GET /api/x HTTP/1.2\r\n" + HOST + b"\r\n",
            "with HTTP/2.0": b"GET /api/x HTTP/2.0\r\n" + HOST + b"\r\n",
            "of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "with a lower-case version": b"GET /api/x http/1.1\r\n" + HOST + b"\r\n",
            "with a space in the target": _get(HOST, b"/api/x y"),
            "with tabs": b"GET\t/api/x\tHTTP/1.1\r\n" + HOST + b"\r\n",
            "with a lower-case method": b"get /api/x HTTP/1.1\r\n" + HOST + b"\r\n",
            "of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            "of CONNECT": b"CONNECT shop.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
            "of CONNECT with a length": b"CONNECT shop.example:443 HTTP/1.1\r\n"
            + HOST
            + b"Content-Length: 2\r\n\r\nab",
            "with an authority": _get(HOST, b"shop.example:80"),
            "with a user": _get(HOST, b"http://a@shop.example/api/x"),
            "with a fragment": _get(HOST, b"/api/x#y"),
        }.items()
    ),
]

_FORMS = [
    Case(
        "absolute target", _get(HOST, b"http://shop.example/api/x") + LAST, (("GET", "/api/x", b""), THE_LAST)
    ),
    Case(
        "absolute target, other host",
        _get(b"Host: a\r\n", b"http://shop.example/api/x"),
        (("GET", "/api/x", b""),),
    ),
    Case(
        "HTTP/1.0",
        b"GET /api/x HTTP/1.0\r\n" + HOST + b"\r\n" + NEXT,
        (("GET", "/api/x", b""),),
        ends=True,
    ),
    Case(
        "HTTP/1.0 with a length",
        _post(b"Content-Length: 2\r\n", b"ab", version=b"1.0") + NEXT,
        (("POST", "/api/x", b"ab"),),
        ends=True,
    ),
    Case(
        "close",
        _post(b"Connection: close\r\nContent-Length: 2\r\n", b"ab") + NEXT,
        (("POST", "/api/x", b"ab"),),
        ends=True,
    ),
    Case(
        "expectation",
        _post(b"Expect: 100-continue\r\n" + _length(HIDDEN), HIDDEN),
        (("POST", "/api/x", HIDDEN),),
        ends=True,
    ),
    *(
        Case(
            f"{method} with a body",
            method.encode() + b" /api/x HTTP/1.1\r\n" + HOST + _length(HIDDEN) + b"\r\n" + HIDDEN + LAST,
            ((method, "/api/x", HIDDEN), THE_LAST),
        )
        for method in ("GET", "HEAD", "DELETE", "OPTIONS")
    ),
    Case(
        "pipelined",
        _get(HOST) + _post(_length(b"ab"), b"ab") + LAST,
        (("GET", "/api/x", b""), ("POST", "/api/x", b"ab"), THE_LAST),
    ),
    Case(
        "pipelined, then garbage",
        _get(HOST) + b"HELLO\r\n\r\n" + NEXT,
        (("GET", "/api/x", b""),),
        ends=True,
    ),
]

CASES = (*_UPGRADES, *_LENGTHS, *_CODINGS, *_CHUNKS, *_HEADS, *_FORMS)

_SERVED_BY_NGINX = ((("POST", "/api/x", b"ab"), THE_NEXT), False)
_GOT_FROM_NGINX = ((("GET", "/api/x", b""), THE_NEXT), False)
NGINX: dict[str, tuple[tuple[Read, ...], bool]] = {
    "chunk ended by LF": _SERVED_BY_NGINX,
    "chunk data ended by LF": _SERVED_BY_NGINX,
    "chunk extension with LF": _SERVED_BY_NGINX,
    "chunk extension with quoted LF": ((), False),  # it waits for a chunk of 171 bytes
    "chunk size with a space": _SERVED_BY_NGINX,
    "chunk trailer with a length": _SERVED_BY_NGINX,
    "chunk trailer with a coding": _SERVED_BY_NGINX,
    "chunk trailer ended by LF": _SERVED_BY_NGINX,
    "chunk end by LF": _SERVED_BY_NGINX,
    "head of bare LF": _GOT_FROM_NGINX,
    "head with a bare LF": _GOT_FROM_NGINX,
    "head with CR CR LF": _GOT_FROM_NGINX,
    "head with a control": ((THE_NEXT,), False),  # passed on, and refused by the service
    "head with a fragment": ((THE_NEXT,), False),  # likewise
    "head without a colon": _GOT_FROM_NGINX,
    "head with HTTP/0.9": ((("GET", "/api/x", b""),), True),
    "head with HTTP/1.2": _GOT_FROM_NGINX,
    "expectation": ((("POST", "/api/x", HIDDEN),), False),
}
"""What Kong 3.9.3 (nginx 1.25) makes of a framing where it differs from RFC 9112: `reads` and `ends`."""


def read_by_nginx(case: Case) -> Case:
    """`case` with the reading that a gateway has of it."""
    reads, ends = NGINX.get(case.name, (case.reads, case.ends))
    return case._replace(reads=reads, ends=ends)
