"""Refusals of the proxy itself, as RFC 9457 problems. What the gateway or auth refuses passes through as it
is."""

from collections.abc import Mapping

from common import problem_details, reason_phrases

MEDIA_TYPE = problem_details.MEDIA_TYPE


class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it
    """An answer that ends the request. `name` is a page in docs/problems; `close` ends the connection too,
    for requests after which the stream of bytes cannot be trusted; `cookies` are `Set-Cookie` headers to send
    along."""

    def __init__(
        self,
        status: int,
        name: str,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: list[tuple[bytes, bytes]] | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.title = title or reason_phrases.title(status)
        self.headers = dict(headers or {})
        self.cookies = cookies or []
        self.close = close

    @property
    def reason(self) -> str:
        """What this is, in a word of a small vocabulary: its name, or its status."""
        return self.name or str(self.status)

    def body(self, instance: str, request_id: str) -> bytes:
        """The problem document. `instance` is the request's path, without its query."""
        return problem_details.document(
            type_=problem_details.type_of(self.name),
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=instance,
            request_id=request_id,
        )


def unavailable(upstream: str) -> Problem:
    """502: `upstream` (a part's name, never its address) could not be reached, or cut its answer short."""
    return Problem(
        502, "upstream-unavailable", f"The {upstream} could not be reached.", headers={"Retry-After": "2"}
    )


def timed_out(upstream: str) -> Problem:
    """504: `upstream` stayed silent for longer than UPSTREAM_TIMEOUT."""
    return Problem(
        504, "upstream-timeout", f"The {upstream} did not answer in time.", headers={"Retry-After": "2"}
    )


def unexpected() -> Problem:
    """500: a fault of this proxy's own. The log has it under the request's id."""
    return Problem(500, "", "Something went wrong here; the request id helps to find it.")


def overloaded() -> Problem:
    """503: more connections than FRONTEND_MAX_CONNECTIONS are open."""
    return Problem(
        503,
        "",
        "Too many connections are open here; please try again in a moment.",
        headers={"Retry-After": "2"},
        close=True,
    )


def wants_page(headers: Mapping[str, list[str]]) -> bool:
    """Whether a refusal is for a person to read: browsers name text/html when they go to an address or send a form
    (RFC 9110 §12.5.1), and nothing else that calls here does. `headers` maps lower-case names to all their values."""
    ranges = [part for value in headers.get("accept", []) for part in value.lower().split(",")]
    return any(part.partition(";")[0].strip() == "text/html" for part in ranges)
