"""Writes the secrets that compose.prod.yaml mounts: random, one file each, never over one that is there.

`python deploy/make_secrets.py [DIRECTORY]`, `secrets` by default; `make secrets` calls it. The directory is
for its owner alone. The files in it are readable, since Docker mounts each as it is into containers whose
users this machine does not know.
"""

import base64
import secrets
import sys
from pathlib import Path

RANDOM_BYTES = 32
"""256 bits, whatever the secret is for (RFC 4086 §6)."""


def main(directory: Path) -> int:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    for name in _NAMES:
        file = directory / name
        if file.exists():
            print(f"kept    {file}")
            continue
        file.write_text(_value(name), encoding="utf-8")
        file.chmod(0o644)
        print(f"written {file}")
        if name == "mail_url":
            print("        put the address of your mail server there, and its password into mail_password")
        if name == "stripe_secret_key":
            print(
                "        put your Stripe account's key there, and its webhook's secret into stripe_webhook_secret"
            )
    return 0


_NAMES = (
    # >>> names, from gatehouse.toml by `make generate`: edits are lost
    "postgres_password",
    "postgres_exporter_password",
    "auth_database_password",
    "member_database_password",
    "catalog_database_password",
    "order_database_password",
    "payment_database_password",
    "redis_password",
    "redis_exporter_password",
    "auth_redis_password",
    "member_redis_password",
    "catalog_redis_password",
    "order_redis_password",
    "payment_redis_password",
    "bff_redis_password",
    "token_validator_redis_password",
    "idempotency_redis_password",
    "response_cache_redis_password",
    "internal_api_key",
    "auth_key_encryption_key",
    "stripe_secret_key",
    "stripe_webhook_secret",
    "mail_url",
    "mail_password",
    # <<<
)


def _value(name: str) -> str:
    """The new content of `name`."""
    match name:
        case "mail_url":
            # RFC 2606 §2: no such host will ever be. auth runs without mail; reset links do not go out.
            return "smtp://mail.invalid:25"
        case "mail_password":
            return ""
        case "stripe_secret_key":
            # No such account: payment runs, and can make no page to pay on.
            return "sk_test_put-the-key-of-your-account-here"
        case "stripe_webhook_secret":
            # Nobody knows it, so no webhook is believed.
            return f"whsec_{secrets.token_urlsafe(RANDOM_BYTES)}"
        case "auth_key_encryption_key":
            return base64.b64encode(secrets.token_bytes(RANDOM_BYTES)).decode("ascii")
        case _:
            return secrets.token_urlsafe(RANDOM_BYTES)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "secrets")))
