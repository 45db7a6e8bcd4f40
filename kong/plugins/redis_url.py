"""Which Redis a plugin uses: what its configuration names, else the one of its process."""

import os

from common import address, redis_address
from common.secret_files import lookup
from kong.plugins.runtime.errors import ConfigError


def find(configured: str | None, password_variable: str) -> str:
    """`configured`, or the process's own REDIS_URL with the password in `password_variable`. Raises ConfigError.

    So Kong's configuration, which its Admin API shows, need hold no password. Both may come from files (NAME_FILE).
    """
    url = configured or _of_the_process(password_variable)
    if not url:
        raise ConfigError("redis_url", "required field missing, and REDIS_URL is not in the environment")
    try:
        redis_address.parse(url)
    except (ValueError, OSError) as error:
        raise ConfigError("redis_url", str(error)) from None
    return url


def _of_the_process(password_variable: str) -> str | None:
    try:
        url = lookup("REDIS_URL", os.environ)
        password = lookup(password_variable, os.environ)
    except (OSError, UnicodeDecodeError):
        raise ConfigError("redis_url", "a file with REDIS_URL or its password cannot be read") from None
    if url is None or password is None:
        return url
    try:
        return address.with_password(url, password, redis_address.SCHEMES)
    except ValueError as error:
        raise ConfigError("redis_url", f"REDIS_URL: {error}") from None
