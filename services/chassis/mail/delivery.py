"""Where mails go: to a mail server, or into a folder; and which of its refusals are its last word."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib

from common import address

Deliver = Callable[[EmailMessage], Awaitable[None]]


def delivery(url: str) -> Deliver:
    """How to deliver by `url`: `smtp://[user:password@]host:port`, `smtps://…` or `file:///folder`.

    With a user, `smtp://` insists on STARTTLS; without, it is used where the server offers it.
    """
    if url.startswith("file:"):
        return _to_folder(Path(unquote(urlsplit(url).path)))
    server = address.parse(url, ("smtp", "smtps"))
    tls = server.scheme == "smtps"

    async def send(letter: EmailMessage) -> None:
        await aiosmtplib.send(
            letter,
            hostname=server.host,
            port=server.port or (465 if tls else 25),
            username=server.user,
            password=server.password or None,
            use_tls=tls,
            # Whoever sits between could strip the server's offer of TLS and read the password (RFC 3207 §6).
            start_tls=True if server.user and not tls else None,
            timeout=10,
        )

    return send


def refused_for_good(fault: Exception) -> bool:
    """Whether the same mail would be refused again (RFC 5321 §4.2.1), and not merely could not be sent now.

    A server that refuses us, the password or the sender that all our mails have, says nothing about this one; be it as
    late as at the recipient or the text, with a code of policy (RFC 3463 §3.8): a relay that does not know us any more.
    """
    match fault:
        case aiosmtplib.SMTPNotSupported():
            return True
        case aiosmtplib.SMTPRecipientsRefused(recipients=refusals):
            return all(_about_the_mail(refusal) for refusal in refusals)
        case aiosmtplib.SMTPDataError():
            return _about_the_mail(fault)
    return False


def reply_code(fault: Exception) -> int | None:
    """The server's reply code; of several recipients, the one that gives most hope."""
    if isinstance(fault, aiosmtplib.SMTPRecipientsRefused):
        return min((refusal.code for refusal in fault.recipients), default=None)
    return fault.code if isinstance(fault, aiosmtplib.SMTPResponseException) else None


def _about_the_mail(refusal: aiosmtplib.SMTPResponseException) -> bool:
    return refusal.code >= 500 and not refusal.message.startswith("5.7.")


def _to_folder(folder: Path) -> Deliver:
    """Writes each mail as a file that mail programs open: for development."""

    async def write(letter: EmailMessage) -> None:
        # The time first, so that `cat *` shows the latest last.
        name = f"{time.time_ns()}-{letter['Message-ID'].strip('<>').partition('@')[0]}.eml"
        await asyncio.to_thread(_write, folder / name, letter.as_bytes())

    return write


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
