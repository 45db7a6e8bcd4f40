"""What an `Authorization` header says of an access token: one reading for the gateway's plugin and for the services."""

_BLANKS = " \t"


def said(header: str | None) -> bool:
    """Whether it says anything: an empty one is as good as none, since Kong tells its plugins of both alike."""
    return bool(header and header.strip(_BLANKS))


def bearer_token(header: str | None) -> str:
    """The Bearer token in it (RFC 6750 §2.1; RFC 9110 §11.4: the scheme in any case, spaces); empty where none is."""
    scheme, _, rest = (header or "").strip(_BLANKS).partition(" ")
    return rest.lstrip(" ") if scheme.lower() == "bearer" else ""
