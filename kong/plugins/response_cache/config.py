"""What the plugin can be told in `kong.yml.template`; Kong's schema is derived from it (runtime/configuration.py)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from common.header_names import USER_ID, USER_ROLES

HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+\Z")]
Path = Annotated[str, Meta(pattern=r"^/[!-~]*\Z")]
Parameter = Annotated[str, Meta(pattern=r"^[a-z0-9_]+\Z")]


class Config(Struct, frozen=True, kw_only=True):
    """Seconds and bytes throughout."""

    redis_url: (
        Annotated[
            str,
            Meta(
                pattern="^rediss?://.+",
                description="Redis with the tags' stream, redis://[user:password@]host:port/db; else REDIS_URL.",
                extra={"referenceable": True, "encrypted": True},
            ),
        ]
        | None
    ) = None
    ttl: Annotated[
        float, Meta(ge=0, le=3600, description="Seconds for which an answer is fresh; 0 keeps none.")
    ] = 60
    not_found_ttl: Annotated[
        float, Meta(ge=0, le=60, description="The same for an answer that there is nothing (404).")
    ] = 2
    stale_while_revalidate: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="Seconds after ttl in which an answer is still shown while one request fetches a new one.",
        ),
    ] = 10
    stale_if_error: Annotated[
        float,
        Meta(ge=0, le=43200, description="Seconds after ttl in which it is shown while upstream fails."),
    ] = 300
    cdn_ttl: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description="Seconds for which a CDN may show a kept public answer without asking; 0: not told (RFC 9213).",
        ),
    ] = 0
    scope: Annotated[
        Literal["public", "user"],
        Meta(
            description="public: one answer for all, asked for without anybody's identity; user: one for each caller.",
        ),
    ] = "public"
    vary: Annotated[
        tuple[HeaderName, ...],
        Meta(description="Request headers that choose the answer; one that varies by others is not kept."),
    ] = ()
    query: Annotated[
        tuple[Parameter, ...],
        Meta(description="Query parameters that choose the answer; a request with others is not kept."),
    ] = ()
    user_header: Annotated[
        HeaderName, Meta(description="Request header, set by an authenticating plugin, with the caller's id.")
    ] = USER_ID
    roles_header: Annotated[
        HeaderName, Meta(description="Request header, set by an authenticating plugin, with the roles.")
    ] = USER_ROLES
    max_body: Annotated[
        int, Meta(ge=0, le=1048576, description="Bytes of an answer's body up to which it is kept.")
    ] = 1048576
    memory: Annotated[
        int,
        Meta(
            ge=65536,
            le=1073741824,
            description="Bytes of answers of this route that a process keeps; those least used go first.",
        ),
    ] = 8388608
    wait: Annotated[
        float,
        Meta(
            ge=0, le=1.9, description="Seconds for which a request waits for the same one that is under way."
        ),
    ] = 1.5
    stream: Annotated[
        str, Meta(min_length=1, description="Redis stream in which services name the tags that have moved.")
    ] = "cache:tags"
    silence: Annotated[
        float,
        Meta(
            ge=0.2,
            le=10,
            description="Seconds without a word of Redis after which nothing is shown from here.",
        ),
    ] = 1.0
    warm_up: Annotated[
        tuple[Path, ...],
        Meta(
            max_length=200,
            description="Paths, with their queries, that the plugin asks for by itself when it starts for this route.",
        ),
    ] = ()
    warm_up_from: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^/]+\Z",
            description="Kong's own listener, as the plugin server reaches it, through which it asks for them.",
        ),
    ] = "http://127.0.0.1:8000"
