"""A mail server that a test starts when it wants mails to arrive."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller


@contextmanager
def mail_server(port: int, refuses: str = "") -> Iterator[list[EmailMessage]]:
    """What it took; it has no mailbox for the address that it refuses."""
    taken: list[EmailMessage] = []

    class Handler:
        async def handle_RCPT(  # noqa: N802
            self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
        ) -> str:
            if address == refuses:
                return f"550 no {address} here"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            taken.append(message_from_bytes(envelope.content, policy=default))
            return "250 OK"

    server = Controller(Handler(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield taken
    finally:
        server.stop()
