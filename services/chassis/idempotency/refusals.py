"""What is wrong with a key: the gateway's own problems, since clients meet them from either layer (docs/problems/)."""

from services.chassis.errors import BadRequest, Conflict, Unprocessable


class MalformedKey(BadRequest):
    type = "/problems/idempotency-key-malformed"
    title = "Malformed idempotency key"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, retryable=False)


class InProgress(Conflict):
    type = "/problems/idempotency-in-progress"
    title = "The first request with this key is still under way"

    def __init__(self) -> None:
        super().__init__(
            "Repeat this request with the same key and body to learn its outcome.",
            headers={"Retry-After": "1"},
            retryable=True,
        )


class KeyReused(Unprocessable):
    type = "/problems/idempotency-key-reused"
    title = "Idempotency key used for another request"

    def __init__(self) -> None:
        super().__init__(
            "The key belongs to a request with another query, content type or body. Use a new key.",
            retryable=False,
        )
