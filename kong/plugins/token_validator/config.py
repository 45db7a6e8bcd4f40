"""What the plugin can be told in `kong.yml.template`; Kong's schema is derived from it (runtime/configuration.py)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from common import header_names

Algorithm = Literal["ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+\Z")]
Permission = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]+\Z")]


class Config(Struct, frozen=True, kw_only=True):
    """Seconds and bytes throughout."""

    issuer: Annotated[str, Meta(min_length=1, description="The iss that an access token must carry.")]
    audience: Annotated[
        str, Meta(min_length=1, description="The aud that an access token must carry or list.")
    ]
    jwks_url: Annotated[
        str,
        Meta(pattern="^https?://.+", description="Where auth publishes its public keys (JSON Web Key Set)."),
    ]
    jwks_refresh: Annotated[
        float,
        Meta(ge=1, le=86400, description="Seconds between fetches of the keys in the background."),
    ] = 300
    jwks_cooldown: Annotated[
        float,
        Meta(
            ge=0.1,
            le=3600,
            description="Seconds between fetches that tokens with an unknown key may cause.",
        ),
    ] = 5
    jwks_timeout: Annotated[
        float, Meta(ge=0.1, le=1.5, description="Seconds within which a fetch of the keys must end.")
    ] = 1
    algorithms: Annotated[
        tuple[Algorithm, ...],
        Meta(min_length=1, description="Signature algorithms that are accepted (RFC 7518)."),
    ] = ("ES256",)
    leeway: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="Seconds by which the issuer's clock may be ahead; never added to a token's life.",
        ),
    ] = 5
    max_token_size: Annotated[
        int, Meta(ge=512, le=32768, description="Bytes beyond which a token is refused unread.")
    ] = 8192
    required_roles: Annotated[
        tuple[Permission, ...],
        Meta(description="Roles that a token must carry, every one of them; else 403."),
    ] = ()
    required_scopes: Annotated[
        tuple[Permission, ...],
        Meta(description="Scopes that a token's scope must list, every one of them; else 403."),
    ] = ()
    optional: Annotated[
        bool,
        Meta(description="Let requests without a token pass as anonymous; a bad token is still refused."),
    ] = False
    token_header: Annotated[
        HeaderName, Meta(description="Request header that carries Bearer and the token.")
    ] = "Authorization"  # noqa: S105 - a name
    user_id_header: Annotated[
        HeaderName, Meta(description="Request header that tells the upstream the account.")
    ] = header_names.USER_ID
    roles_header: Annotated[
        HeaderName, Meta(description="Request header that tells the upstream the roles, comma-separated.")
    ] = header_names.USER_ROLES
    session_id_header: Annotated[
        HeaderName, Meta(description="Request header that tells the upstream the session.")
    ] = header_names.SESSION_ID
    realm: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9 ._-]+\Z", description="The realm named in WWW-Authenticate.")
    ] = "api"
    cache_size: Annotated[
        int, Meta(ge=0, le=1000000, description="Verified tokens that are remembered until they expire.")
    ] = 10000
    redis_url: (
        Annotated[
            str,
            Meta(
                pattern="^rediss?://.+",
                description="Redis with revocations, redis://[user:password@]host:port/db; else REDIS_URL.",
                extra={"referenceable": True, "encrypted": True},
            ),
        ]
        | None
    ) = None
    revocation_stream: Annotated[
        str, Meta(min_length=1, description="Redis stream that auth writes revoked sessions to.")
    ] = "auth:revocations"
    revocation_silence: Annotated[
        float,
        Meta(
            ge=0.2,
            le=60,
            description="Seconds without a word from Redis after which it counts as down.",
        ),
    ] = 2
    on_store_error: Annotated[
        Literal["reject", "accept"],
        Meta(description="While Redis is down: reject answers 503, accept lets good tokens pass."),
    ] = "reject"
