"""Sends auth's mails in the background, so that no answer's time tells whether a mail was sent.

What waits is bounded and kept in memory. A process that stops sends it first; what is lost with one that is killed is
asked for again by its reader (docs/failure-modes.md).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import IntEnum
from functools import partial
from itertools import count

import aiosmtplib

from services.auth.adapters.letters import Letters
from services.auth.adapters.mail_delivery import Deliver, refused_for_good, reply_code
from services.auth.domain.accounts import Account

_log = logging.getLogger(__name__)

_WAITING = 1000
"""Mails of each urgency: those that anybody can have sent, by registering, crowd out no other."""
_TRIES = 5
_SENDERS = 4
"""Mails under way at once: an address whose server makes us wait must not hold up all others."""
_LAST_CALL = 3.0
"""Less than a process that is told to stop is given before it is killed."""


class _Urgency(IntEnum):
    """The lower goes first."""

    ACCOUNT = 0
    CONFIRMATION = 1


@dataclass(order=True, slots=True)
class _Mail:
    urgency: _Urgency
    number: int
    write: Callable[[], EmailMessage] = field(compare=False)
    letter: EmailMessage | None = field(default=None, compare=False)
    tried: int = field(default=0, compare=False)


class QueuedMail:
    """`pause(n)`: seconds before try n + 1 of a mail. `last_call`: seconds for what waits at the stop."""

    def __init__(
        self,
        letters: Letters,
        deliver: Deliver,
        *,
        pause: Callable[[int], float] = lambda tried: 2.0**tried,
        last_call: float = _LAST_CALL,
    ) -> None:
        self._letters = letters
        self._deliver = deliver
        self._pause = pause
        self._last_call = last_call
        self._numbers = count()
        # Its join() waits for mails between two tries as well: they are put back before they are done.
        self._due: asyncio.PriorityQueue[_Mail] = asyncio.PriorityQueue()
        self._unsent: Counter[_Urgency] = Counter()

    def password_reset(self, account: Account, secret: str) -> None:
        self._put(_Urgency.ACCOUNT, partial(self._letters.password_reset, account, secret))

    def email_confirmation(self, account: Account, secret: str) -> None:
        self._put(_Urgency.CONFIRMATION, partial(self._letters.email_confirmation, account, secret))

    def password_changed(self, account: Account) -> None:
        self._put(_Urgency.ACCOUNT, partial(self._letters.password_changed, account))

    def email_changed(self, account: Account, secret: str) -> None:
        self._put(_Urgency.ACCOUNT, partial(self._letters.email_changed, account, secret))

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        senders = [asyncio.create_task(self._send_all()) for _ in range(_SENDERS)]
        try:
            yield
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.join(), self._last_call)
            if unsent := self._unsent.total():
                _log.error("mail dropped at the stop", extra={"mails": unsent})
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    def _put(self, urgency: _Urgency, write: Callable[[], EmailMessage]) -> None:
        if self._unsent[urgency] >= _WAITING:
            _log.error("mail dropped: too many wait")
            return
        self._unsent[urgency] += 1
        # It is written later, too: whoever asks for a mail to nobody must not be answered sooner.
        self._due.put_nowait(_Mail(urgency, next(self._numbers), write))

    async def _send_all(self) -> None:
        while True:
            mail = await self._due.get()
            if await self._settled(mail):
                self._unsent[mail.urgency] -= 1
                self._due.task_done()
            else:
                # A timer holds it, not this sender: mails that are put off hold no others up.
                asyncio.get_running_loop().call_later(self._pause(mail.tried), self._put_back, mail)

    def _put_back(self, mail: _Mail) -> None:
        mail.number = next(self._numbers)
        self._due.put_nowait(mail)
        self._due.task_done()

    async def _settled(self, mail: _Mail) -> bool:
        """Tries to send it; False where that is to be tried again."""
        mail.tried += 1
        try:
            if mail.letter is None:
                mail.letter = _written(mail)
            await self._deliver(mail.letter)
        except (OSError, aiosmtplib.SMTPException) as fault:
            final = refused_for_good(fault)
            # What a server says may quote the address; its code does not.
            told = {
                "subject": mail.letter and mail.letter["Subject"],
                "cause": type(fault).__name__,
                "code": reply_code(fault),
                "tried": mail.tried,
            }
            _log.warning("mail refused" if final else "mail not sent", extra=told)
            return final or mail.tried >= _TRIES
        except Exception as fault:  # an address that no mail can be written to must not stop all others
            _log.error("mail not written", extra={"cause": type(fault).__name__})
        return True


def _written(mail: _Mail) -> EmailMessage:
    letter = mail.write()
    letter["Date"] = formatdate()
    letter["Message-ID"] = make_msgid(domain="gatehouse.example")
    return letter
