"""What the plugin can be told in `kong.yml.template`; Kong's schema is derived from it (runtime/configuration.py)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from common.header_names import USER_ID

HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+\Z")]
Method = Annotated[str, Meta(pattern=r"^[A-Z]+\Z")]
StatusPattern = Annotated[str, Meta(pattern=r"^!?[2-4][0-9x][0-9x]\Z")]


class Config(Struct, frozen=True, kw_only=True):
    """Seconds and bytes throughout."""

    redis_url: (
        Annotated[
            str,
            Meta(
                pattern="^rediss?://.+",
                description="Redis for the keys, redis://[user:password@]host:port/db; else REDIS_URL.",
                extra={"referenceable": True, "encrypted": True},
            ),
        ]
        | None
    ) = None
    ttl: Annotated[
        int, Meta(ge=1, le=31536000, description="Seconds for which an outcome is kept and replayed.")
    ] = 3600
    anonymous_ttl: Annotated[
        int,
        Meta(ge=1, le=31536000, description="As ttl, for callers without an account, if that is shorter."),
    ] = 300
    anonymous_per_network: Annotated[
        int,
        Meta(
            ge=1,
            le=1000000,
            description="Their keys of one network (an IPv4 address, an IPv6 /64) in anonymous_ttl; then 429.",
        ),
    ] = 300
    anonymous_in_total: Annotated[
        int,
        Meta(
            ge=1,
            le=10000000,
            description="The same of all networks; beyond it keys are left to the services.",
        ),
    ] = 10000
    lock_ttl: Annotated[
        float,
        Meta(
            ge=1,
            le=3600,
            description="Seconds that a request under way holds its key: longer than upstream takes.",
        ),
    ] = 30
    wait: Annotated[
        float,
        Meta(
            ge=0,
            le=30,
            description="Seconds for which a concurrent duplicate waits for the first outcome before 409.",
        ),
    ] = 0
    methods: Annotated[
        tuple[Method, ...], Meta(description="Methods on which a key is honoured; empty for all.")
    ] = ()
    required: Annotated[
        bool,
        Meta(description="Refuse requests without a key; safe methods only where methods names them."),
    ] = False
    header_names: Annotated[
        tuple[HeaderName, ...],
        Meta(min_length=1, description="Request headers that may carry the key; more than one must agree."),
    ] = ("Idempotency-Key", "X-Idempotency-Key")
    caller_header: Annotated[
        HeaderName,
        Meta(description="Request header, set by an authenticating plugin, that names the key's owner."),
    ] = USER_ID
    max_request_body: Annotated[
        int,
        Meta(
            ge=0,
            le=8388608,
            description="Bytes of request body up to which a key is honoured; a larger one gets 413.",
        ),
    ] = 1048576
    max_body: Annotated[
        int,
        Meta(
            ge=0,
            le=8388608,
            description="Bytes of response body that are kept; a repeat of a larger one gets 409.",
        ),
    ] = 1048576
    store_statuses: Annotated[
        tuple[StatusPattern, ...],
        Meta(
            min_length=1,
            description="Statuses that are kept: 2xx, 404, !429 (which wins); others free the key.",
        ),
    ] = ("2xx", "3xx", "4xx", "!401", "!403", "!408", "!409", "!425", "!429")
    stored_headers: Annotated[
        tuple[HeaderName, ...],
        Meta(description="Response headers to keep; empty for all that may be replayed."),
    ] = ()
    on_store_error: Annotated[
        Literal["reject", "accept"],
        Meta(description="When Redis fails: reject answers 503, accept lets the request through."),
    ] = "reject"
    store_timeout: Annotated[
        float, Meta(ge=0.01, le=1.5, description="Seconds within which Redis must answer.")
    ] = 0.5
