"""The plugin's configuration: Kong's schema of it, and the same as the plugin uses it."""

from typing import Any, Literal

import msgspec

SCHEMA: list[dict[str, dict[str, Any]]] = [
    {
        "redis_url": {
            "type": "string",
            "referenceable": True,
            "encrypted": True,
            "match": "^rediss?://.+",
            "description": "Redis for the keys, redis://[user:password@]host:port/db; else REDIS_URL.",
        }
    },
    {
        "ttl": {
            "type": "integer",
            "default": 3600,
            "between": [1, 31536000],
            "description": "Seconds for which an outcome is kept and replayed.",
        }
    },
    {
        "anonymous_ttl": {
            "type": "integer",
            "default": 300,
            "between": [1, 31536000],
            "description": "As ttl, for callers without an account, if that is shorter.",
        }
    },
    {
        "anonymous_per_network": {
            "type": "integer",
            "default": 300,
            "between": [1, 1000000],
            "description": "Their keys of one network (an IPv4 address, an IPv6 /64) in anonymous_ttl; then 429.",
        }
    },
    {
        "anonymous_in_total": {
            "type": "integer",
            "default": 10000,
            "between": [1, 10000000],
            "description": "The same of all networks; beyond it keys are left to the services.",
        }
    },
    {
        "lock_ttl": {
            "type": "number",
            "default": 30,
            "between": [1, 3600],
            "description": "Seconds that a request under way holds its key: longer than upstream takes.",
        }
    },
    {
        "wait": {
            "type": "number",
            "default": 0,
            "between": [0, 30],
            "description": "Seconds for which a concurrent duplicate waits for the first outcome before 409.",
        }
    },
    {
        "methods": {
            "type": "array",
            "elements": {"type": "string", "match": "^[A-Z]+$"},
            "default": [],
            "description": "Methods on which a key is honoured; empty for all.",
        }
    },
    {
        "required": {
            "type": "boolean",
            "default": False,
            "description": "Refuse requests without a key; safe methods only where methods names them.",
        }
    },
    {
        "header_names": {
            "type": "array",
            "elements": {"type": "string", "match": "^[A-Za-z0-9-]+$"},
            "len_min": 1,
            "default": ["Idempotency-Key", "X-Idempotency-Key"],
            "description": "Request headers that may carry the key; more than one must agree.",
        }
    },
    {
        "caller_header": {
            "type": "string",
            "match": "^[A-Za-z0-9-]+$",
            "default": "X-User-Id",
            "description": "Request header, set by an authenticating plugin, that names the key's owner.",
        }
    },
    {
        "max_request_body": {
            "type": "integer",
            "default": 1048576,
            "between": [0, 8388608],
            "description": "Bytes of request body up to which a key is honoured; a larger one gets 413.",
        }
    },
    {
        "max_body": {
            "type": "integer",
            "default": 1048576,
            "between": [0, 8388608],
            "description": "Bytes of response body that are kept; a repeat of a larger one gets 409.",
        }
    },
    {
        "store_statuses": {
            "type": "array",
            "elements": {"type": "string", "match": "^!?[2-4][0-9x][0-9x]$"},
            "len_min": 1,
            "default": ["2xx", "3xx", "4xx", "!401", "!403", "!408", "!409", "!425", "!429"],
            "description": "Statuses that are kept: 2xx, 404, !429 (which wins); others free the key.",
        }
    },
    {
        "stored_headers": {
            "type": "array",
            "elements": {"type": "string", "match": "^[A-Za-z0-9-]+$"},
            "default": [],
            "description": "Response headers to keep; empty for all that may be replayed.",
        }
    },
    {
        "on_store_error": {
            "type": "string",
            "one_of": ["reject", "accept"],
            "default": "reject",
            "description": "When Redis fails: reject answers 503, accept lets the request through.",
        }
    },
    {
        "store_timeout": {
            "type": "number",
            "default": 0.5,
            "between": [0.01, 1.5],
            "description": "Seconds within which Redis must answer.",
        }
    },
]


class Config(msgspec.Struct, frozen=True):
    """Seconds and bytes throughout; see SCHEMA for what each field means."""

    redis_url: str
    ttl: int
    anonymous_ttl: int
    anonymous_per_network: int
    anonymous_in_total: int
    lock_ttl: float
    wait: float
    methods: list[str]
    required: bool
    header_names: list[str]
    caller_header: str
    max_request_body: int
    max_body: int
    store_statuses: list[str]
    stored_headers: list[str]
    on_store_error: Literal["reject", "accept"]
    store_timeout: float
