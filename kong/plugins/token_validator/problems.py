"""The problems that the plugin answers; docs/problems/ has a page on each. Challenges follow RFC 6750 §3."""

from collections.abc import Sequence

from kong.plugins.problems import Problem


def missing(realm: str) -> Problem:
    """No Bearer token was sent, so the challenge carries no error (RFC 6750 §3.1)."""
    return Problem(
        name="token-missing",
        status=401,
        title="Access token required",
        detail="Send an access token: Authorization: Bearer <token>.",
        headers={"WWW-Authenticate": f'Bearer realm="{realm}"'},
    )


def invalid(realm: str, reason: str) -> Problem:
    return Problem(
        name="token-invalid",
        status=401,
        title="Access token not accepted",
        detail=reason,
        headers={
            "WWW-Authenticate": f'Bearer realm="{realm}", error="invalid_token", error_description="{reason}"'
        },
    )


def insufficient(realm: str, roles: Sequence[str], scopes: Sequence[str]) -> Problem:
    """The token is good, but does not carry every one of these roles and scopes."""
    wanted = " ".join(
        f"{name}s {', '.join(all_)}" for name, all_ in (("role", roles), ("scope", scopes)) if all_
    )
    scope = f', scope="{" ".join(scopes)}"' if scopes else ""
    return Problem(
        name="insufficient-scope",
        status=403,
        title="The access token does not allow this",
        detail=f"This needs the {wanted}.",
        headers={"WWW-Authenticate": f'Bearer realm="{realm}", error="insufficient_scope"{scope}'},
    )


def keys_unavailable() -> Problem:
    return Problem(
        name="token-keys-unavailable",
        status=503,
        title="Access tokens cannot be checked at the moment",
        detail="The keys that access tokens are signed with are not known yet. Try again.",
        headers={"Retry-After": "1"},
        members={"retryable": True},
    )


def revocations_unavailable() -> Problem:
    return Problem(
        name="token-revocations-unavailable",
        status=503,
        title="Access tokens cannot be checked at the moment",
        detail="Which sessions have been ended is not known for now. Try again.",
        headers={"Retry-After": "1"},
        members={"retryable": True},
    )
