"""The variables that kong.yml.template is rendered with here, and a request to put to it."""

from __future__ import annotations

from pathlib import Path

from devstack.gateway.exchange import Exchange
from devstack.gateway.headers import Headers
from devstack.gateway.own_answers import OwnAnswers

ROOT = Path(__file__).parents[3]
VALUES = {
    "AUTH_URL": "http://auth:4000",
    "MEMBER_URL": "http://member:5000",
    "BFF_URL": "http://bff:3001",
    "CATALOG_URL": "http://catalog:3002",
    "ORDER_URL": "http://order:7000",
    "PAYMENT_URL": "http://payment:7100",
    "AUTH_JWKS_URL": "http://auth:4000/.well-known/jwks.json",
    "TOKEN_ISSUER": "https://issuer.example",
    "TOKEN_AUDIENCE": "shop",
}
OWN = OwnAnswers({"json": (ROOT / "kong" / "errors" / "problem.json").read_text()})

PUBLIC = [
    "register",
    "login",
    "guest",
    "refresh",
    "logout",
    "password/forgot",
    "password/reset",
    "email/verify",
]
"""Calls of auth that need no token: below /api/auth/."""


def exchange(*headers: tuple[str, str], method: str = "GET", path: str = "/api/home") -> Exchange:
    return Exchange(
        method=method,
        target=path,
        path=path,
        query=None,
        version=1.1,
        headers=Headers(headers),
        body=b"",
        client=("127.0.0.1", 50000),
        port=8000,
    )
