"""What a journey needs of a running stack, whichever way it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Stack(Protocol):
    """URLs are without a slash at their end. Names of parts are those of compose.yaml and devstack."""

    @property
    def frontend_url(self) -> str: ...

    @property
    def gateway_url(self) -> str: ...

    @property
    def admin_url(self) -> str: ...

    @property
    def auth_url(self) -> str: ...

    @property
    def member_url(self) -> str: ...

    @property
    def bff_url(self) -> str: ...

    @property
    def catalog_url(self) -> str: ...

    @property
    def order_url(self) -> str: ...

    @property
    def payment_url(self) -> str: ...

    @property
    def sandbox_url(self) -> str: ...

    @property
    def internal_key(self) -> str: ...

    @property
    def postgres_url(self) -> str:
        """Of the superuser, without a database's name at its end."""

    def redis_url(self, user: str) -> str | None:
        """For one of Redis' users; None where Redis cannot be reached from here."""

    @property
    def template(self) -> Path | None:
        """A copy of kong.yml.template that the gateway reads at `restart("kong")`; None where it is not a copy."""

    def kill(self, name: str) -> None:
        """SIGKILL to a part's process; what supervises it may start it again."""

    def restart(self, name: str) -> str:
        """Start a part anew; returns when it is healthy. Raises RestartRefused with what was said otherwise."""

    def stop(self, name: str) -> None:
        """A clean end that nothing undoes until `restart`."""

    def kill_worker(self, name: str) -> None:
        """SIGKILL to a process below a part's own; to the part where it has none, or they cannot be told apart."""

    def pause(self, name: str) -> None:
        """SIGSTOP to a part with all of its processes, until `resume`."""

    def resume(self, name: str) -> None: ...

    def mails(self) -> list[bytes]:
        """Every mail so far."""

    def log(self) -> str:
        """What all parts have written so far, line by line."""

    def process_ids(self) -> list[int]:
        """Of every part, where they are processes of this machine."""


@dataclass(frozen=True)
class Published:
    """The addresses of a stack whose ports stand in its environment."""

    environment: dict[str, str]
    internal_key: str

    @property
    def frontend_url(self) -> str:
        return self._url("FRONTEND_PORT")

    @property
    def gateway_url(self) -> str:
        return self._url("GATEWAY_PORT")

    @property
    def admin_url(self) -> str:
        return self._url("GATEWAY_ADMIN_PORT")

    @property
    def auth_url(self) -> str:
        return self._url("AUTH_PORT")

    @property
    def member_url(self) -> str:
        return self._url("MEMBER_PORT")

    @property
    def bff_url(self) -> str:
        return self._url("BFF_PORT")

    @property
    def catalog_url(self) -> str:
        return self._url("CATALOG_PORT")

    @property
    def order_url(self) -> str:
        return self._url("ORDER_PORT")

    @property
    def payment_url(self) -> str:
        return self._url("PAYMENT_PORT")

    @property
    def sandbox_url(self) -> str:
        return self._url("SANDBOX_PORT")

    def _url(self, variable: str) -> str:
        return f"http://127.0.0.1:{self.environment[variable]}"


class RestartRefused(Exception):  # noqa: N818 - the word for what happened
    """A part did not come up again."""
