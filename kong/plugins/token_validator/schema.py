"""The plugin's configuration: Kong's schema of it, and the same as the plugin uses it."""

from typing import Any, Literal

import msgspec

from common import header_names
from kong.plugins.token_validator.jwks import ALGORITHMS

_HEADER_NAME = "^[A-Za-z0-9-]+$"
_NAMES = {"type": "string", "match": "^[A-Za-z0-9_.:-]+$"}

SCHEMA: list[dict[str, dict[str, Any]]] = [
    {
        "issuer": {
            "type": "string",
            "required": True,
            "len_min": 1,
            "description": "The iss that an access token must carry.",
        }
    },
    {
        "audience": {
            "type": "string",
            "required": True,
            "len_min": 1,
            "description": "The aud that an access token must carry or list.",
        }
    },
    {
        "jwks_url": {
            "type": "string",
            "required": True,
            "match": "^https?://.+",
            "description": "Where auth publishes its public keys (JSON Web Key Set).",
        }
    },
    {
        "jwks_refresh": {
            "type": "number",
            "default": 300,
            "between": [1, 86400],
            "description": "Seconds between fetches of the keys in the background.",
        }
    },
    {
        "jwks_cooldown": {
            "type": "number",
            "default": 5,
            "between": [0.1, 3600],
            "description": "Seconds between fetches that tokens with an unknown key may cause.",
        }
    },
    {
        "jwks_timeout": {
            "type": "number",
            "default": 1,
            "between": [0.1, 1.5],
            "description": "Seconds within which a fetch of the keys must end.",
        }
    },
    {
        "algorithms": {
            "type": "array",
            "elements": {"type": "string", "one_of": list(ALGORITHMS)},
            "len_min": 1,
            "default": ["ES256"],
            "description": "Signature algorithms that are accepted (RFC 7518).",
        }
    },
    {
        "leeway": {
            "type": "number",
            "default": 5,
            "between": [0, 60],
            "description": "Seconds by which the issuer's clock may be ahead; never added to a token's life.",
        }
    },
    {
        "max_token_size": {
            "type": "integer",
            "default": 8192,
            "between": [512, 32768],
            "description": "Bytes beyond which a token is refused unread.",
        }
    },
    {
        "required_roles": {
            "type": "array",
            "elements": _NAMES,
            "default": [],
            "description": "Roles that a token must carry, every one of them; else 403.",
        }
    },
    {
        "required_scopes": {
            "type": "array",
            "elements": _NAMES,
            "default": [],
            "description": "Scopes that a token's scope must list, every one of them; else 403.",
        }
    },
    {
        "optional": {
            "type": "boolean",
            "default": False,
            "description": "Let requests without a token pass as anonymous; a bad token is still refused.",
        }
    },
    {
        "token_header": {
            "type": "string",
            "match": _HEADER_NAME,
            "default": "Authorization",
            "description": "Request header that carries Bearer and the token.",
        }
    },
    {
        "user_id_header": {
            "type": "string",
            "match": _HEADER_NAME,
            "default": header_names.USER_ID,
            "description": "Request header that tells the upstream the account.",
        }
    },
    {
        "roles_header": {
            "type": "string",
            "match": _HEADER_NAME,
            "default": header_names.USER_ROLES,
            "description": "Request header that tells the upstream the roles, comma-separated.",
        }
    },
    {
        "session_id_header": {
            "type": "string",
            "match": _HEADER_NAME,
            "default": header_names.SESSION_ID,
            "description": "Request header that tells the upstream the session.",
        }
    },
    {
        "realm": {
            "type": "string",
            "match": "^[A-Za-z0-9 ._-]+$",
            "default": "api",
            "description": "The realm named in WWW-Authenticate.",
        }
    },
    {
        "cache_size": {
            "type": "integer",
            "default": 10000,
            "between": [0, 1000000],
            "description": "Verified tokens that are remembered until they expire.",
        }
    },
    {
        "redis_url": {
            "type": "string",
            "referenceable": True,
            "encrypted": True,
            "match": "^rediss?://.+",
            "description": "Redis with revocations, redis://[user:password@]host:port/db; else REDIS_URL.",
        }
    },
    {
        "revocation_stream": {
            "type": "string",
            "len_min": 1,
            "default": "auth:revocations",
            "description": "Redis stream that auth writes revoked sessions to.",
        }
    },
    {
        "revocation_silence": {
            "type": "number",
            "default": 2,
            "between": [0.2, 60],
            "description": "Seconds without a word from Redis after which it counts as down.",
        }
    },
    {
        "on_store_error": {
            "type": "string",
            "one_of": ["reject", "accept"],
            "default": "reject",
            "description": "While Redis is down: reject answers 503, accept lets good tokens pass.",
        }
    },
]


class Config(msgspec.Struct, frozen=True):
    """Seconds and bytes throughout; see SCHEMA for what each field means."""

    issuer: str
    audience: str
    jwks_url: str
    jwks_refresh: float
    jwks_cooldown: float
    jwks_timeout: float
    algorithms: list[str]
    leeway: float
    max_token_size: int
    required_roles: list[str]
    required_scopes: list[str]
    optional: bool
    token_header: str
    user_id_header: str
    roles_header: str
    session_id_header: str
    realm: str
    cache_size: int
    revocation_stream: str
    revocation_silence: float
    on_store_error: Literal["reject", "accept"]
    redis_url: str = ""
