"""Headers of a request that say who asks, beside `Authorization` and what the gateway itself says."""

API_KEYS = frozenset({"apikey", "api-key", "x-api-key", "x-auth-token", "x-access-token"})
