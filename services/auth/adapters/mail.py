"""Sends auth's mails in the background, so that no answer's time tells whether a mail was sent.

What waits is bounded and kept in memory. A process that stops sends it first; what is lost with one that is killed is
asked for again by its reader (docs/failure-modes.md).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib

from services.auth.adapters.letters import Letters
from services.auth.domain.accounts import Account

_log = logging.getLogger(__name__)

Deliver = Callable[[EmailMessage], Awaitable[None]]
_WAITING = 1000
_TRIES = 5
_SENDERS = 4
"""Mails under way at once: an address whose server makes us wait must not hold up all others."""
_LAST_CALL = 3.0
"""Seconds for what waits when the process is told to stop; less than it is given before it is killed."""


class QueuedMail:
    """`pause(n)`: seconds before try n + 1 of a mail."""

    def __init__(
        self, letters: Letters, deliver: Deliver, *, pause: Callable[[int], float] = lambda tried: 2.0**tried
    ) -> None:
        self._letters = letters
        self._deliver = deliver
        self._pause = pause
        self._waiting: asyncio.Queue[Callable[[], EmailMessage]] = asyncio.Queue(_WAITING)

    def password_reset(self, account: Account, secret: str) -> None:
        self._put(partial(self._letters.password_reset, account, secret))

    def email_confirmation(self, account: Account, secret: str) -> None:
        self._put(partial(self._letters.email_confirmation, account, secret))

    def password_changed(self, account: Account) -> None:
        self._put(partial(self._letters.password_changed, account))

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        senders = [asyncio.create_task(self._send_all()) for _ in range(_SENDERS)]
        try:
            yield
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._waiting.join(), _LAST_CALL)
            if not self._waiting.empty():
                _log.error("mail dropped at the stop", extra={"mails": self._waiting.qsize()})
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    def _put(self, write: Callable[[], EmailMessage]) -> None:
        # It is written later, too: whoever asks for a mail to nobody must not be answered sooner.
        try:
            self._waiting.put_nowait(write)
        except asyncio.QueueFull:
            _log.error("mail dropped: too many wait")

    async def _send_all(self) -> None:
        while True:
            write = await self._waiting.get()
            try:
                letter = write()
                letter["Date"] = formatdate()
                letter["Message-ID"] = make_msgid(domain="gatehouse.example")
                await self._send(letter)
            except Exception as fault:  # an address that no mail can be written to must not stop all others
                _log.error("mail not written", extra={"cause": type(fault).__name__})
            finally:
                self._waiting.task_done()

    async def _send(self, letter: EmailMessage) -> None:
        for tried in range(1, _TRIES + 1):
            try:
                await self._deliver(letter)
            except (OSError, aiosmtplib.SMTPException) as fault:
                cause = {"subject": letter["Subject"], "cause": type(fault).__name__, "tried": tried}
                _log.warning("mail not sent", extra=cause)
                if tried < _TRIES:
                    await asyncio.sleep(self._pause(tried))
            else:
                return


def delivery(url: str) -> Deliver:
    """How to deliver by `url`: `smtp://[user:password@]host:port`, `smtps://…` or `file:///folder`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _to_folder(Path(unquote(parts.path)))
    tls = parts.scheme == "smtps"

    async def send(letter: EmailMessage) -> None:
        await aiosmtplib.send(
            letter,
            hostname=parts.hostname,
            port=parts.port or (465 if tls else 25),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=tls,
            timeout=10,
        )

    return send


def _to_folder(folder: Path) -> Deliver:
    """Writes each mail as a file that mail programs open: for development."""

    async def write(letter: EmailMessage) -> None:
        name = f"{letter['Message-ID'].strip('<>').partition('@')[0]}.eml"
        await asyncio.to_thread(_write, folder / name, letter.as_bytes())

    return write


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
