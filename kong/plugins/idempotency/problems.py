"""The problems that the plugin answers in the upstream's place; docs/problems/ has a page on each."""

import math
from collections.abc import Sequence

from kong.plugins.problems import Problem


def malformed(detail: str) -> Problem:
    return Problem(
        name="idempotency-key-malformed",
        status=400,
        title="Malformed idempotency key",
        detail=f"{detail} A key is 1 to 255 visible ASCII characters without a comma.",
        members={"retryable": False},
    )


def protocol_change() -> Problem:
    """After a change of protocol Kong passes bytes on, and there is no outcome to keep."""
    return Problem(
        name="idempotency-key-malformed",
        status=400,
        title="Idempotency key on a change of protocol",
        detail="A key does not go with Upgrade: websocket. Nothing was done.",
        members={"retryable": False},
    )


def required(names: Sequence[str]) -> Problem:
    return Problem(
        name="idempotency-key-required",
        status=400,
        title="Idempotency key required",
        detail=f"Send a key, new for each operation and the same for its repeats, in {' or '.join(names)}.",
        members={"retryable": False},
    )


def too_many_headers(most: int) -> Problem:
    return Problem(
        name="idempotency-too-many-headers",
        status=431,
        title="Too many headers for an idempotent request",
        detail=f"Send fewer than {most} header lines: the caller cannot be told for sure beyond that.",
        members={"retryable": False},
    )


def request_too_large(most: int) -> Problem:
    return Problem(
        name="idempotency-request-too-large",
        status=413,
        title="Request too large for an idempotency key",
        detail=f"With an idempotency key a body may have {most} bytes. Nothing was done.",
        members={"retryable": False},
    )


def too_many_keys(window: int) -> Problem:
    """`window`: seconds after which the network has its whole share again at the latest."""
    return Problem(
        name="idempotency-too-many-keys",
        status=429,
        title="Too many requests with an idempotency key",
        detail="Your network has sent many keys without signing in. Nothing was done. Repeat this later.",
        headers={"Retry-After": str(window)},
        members={"retryable": True},
    )


def in_progress(lease: float) -> Problem:
    """`lease`: seconds after which the key is free again at the latest."""
    return Problem(
        name="idempotency-in-progress",
        status=409,
        title="The first request with this key is still under way",
        detail="Repeat this request with the same key and body to learn its outcome.",
        headers={"Retry-After": "1"},
        members={"retryable": True, "lease_expires_in": math.ceil(lease)},
    )


def reused() -> Problem:
    return Problem(
        name="idempotency-key-reused",
        status=422,
        title="Idempotency key used for another request",
        detail="The key belongs to a request with another query, content type or body. Use a new key.",
        members={"retryable": False},
    )


def not_kept(reason: str) -> Problem:
    return Problem(
        name="idempotency-outcome-not-kept",
        status=409,
        title="The request was carried out, but its answer was not kept",
        detail=f"The first answer cannot be repeated: {reason}. Read the resource to see its state.",
        members={"retryable": False},
    )


def store_unavailable() -> Problem:
    return Problem(
        name="idempotency-store-unavailable",
        status=503,
        title="Idempotency keys cannot be checked at the moment",
        detail="Nothing was done. Repeat this request with the same key.",
        headers={"Retry-After": "1"},
        members={"retryable": True},
    )
