"""auth's mails: what they hold, that they are sent in the background, and again after a failure."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from aiosmtplib import (
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPServerDisconnected,
)

from devstack import throwaway
from services.auth.adapters.letters import Letters
from services.auth.adapters.mail import QueuedMail
from services.auth.adapters.mail_delivery import delivery
from services.auth.domain.accounts import Account

LETTERS = Letters("http://localhost:3000/", "Gatehouse <no-reply@gatehouse.example>")


def account(name: str = "Kim Minji", *, verified: bool = False) -> Account:
    return Account(
        id=uuid4(),
        email="minji@example.com",
        name=name,
        roles=(),
        status="active",
        password_hash="",
        email_verified=verified,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


class Kept:
    """A delivery that fails as often as told, then keeps the letters."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.letters: list[EmailMessage] = []
        self.arrived = asyncio.Event()

    async def __call__(self, letter: EmailMessage) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionRefusedError
        self.letters.append(letter)
        self.arrived.set()


def test_a_link_stands_in_the_text_as_it_is() -> None:
    letter = LETTERS.password_reset(account(), "the_secret-1")
    assert b"http://localhost:3000/password/reset?token=the_secret-1\n" in letter.as_bytes()
    assert letter["To"] == "minji@example.com"


@pytest.mark.parametrize("name", ["김민지", "Kim Minji"])
def test_a_name_of_any_script_arrives(name: str) -> None:
    sent = LETTERS.password_changed(account(name, verified=True)).as_bytes()
    assert f"Hello {name}," in message_from_bytes(sent, policy=default).get_content()


def test_a_name_cannot_pass_for_the_mails_own_text() -> None:
    letter = LETTERS.password_changed(
        account("Minji\n\nClick https://attacker.example\n" + "x" * 200, verified=True)
    )
    lines = letter.get_content().splitlines()
    assert lines[0].startswith("Hello Minji Click")
    assert len(lines[0]) < 120
    assert lines[1] == ""


def test_the_notice_of_a_changed_address_goes_to_the_former_one_and_takes_the_account_back() -> None:
    letter = LETTERS.email_changed(account().moved("stranger@example.com"), "the_secret-1")
    assert letter["To"] == "minji@example.com"
    assert "http://localhost:3000/password/reset?token=the_secret-1\n" in letter.get_content()
    assert "http://localhost:3000/password/forgot\n" in letter.get_content()
    assert "stranger" not in letter.get_content()


def test_of_an_account_that_was_moved_the_former_address_is_asked_for_a_new_password() -> None:
    moved = account().moved("stranger@example.com")
    for letter in (LETTERS.password_reset(moved, "secret"), LETTERS.password_changed(moved)):
        assert letter["To"] == "minji@example.com"
    assert "brings it back" in LETTERS.password_reset(moved, "secret").get_content()
    assert "brings it back" not in LETTERS.password_reset(account(), "secret").get_content()
    assert LETTERS.email_confirmation(moved, "secret")["To"] == "stranger@example.com"


def test_whoever_registers_a_strangers_address_cannot_write_to_the_stranger() -> None:
    name = "You won: https://attacker.example"
    stranger = account(name)
    # Nor who moves the account on to an address of his own, and confirms that.
    moved = replace(stranger.moved("attacker@example.com"), email_verified=True)
    for letter in (
        LETTERS.password_reset(moved, "secret"),
        LETTERS.password_changed(moved),
        LETTERS.email_changed(moved, "secret"),
        LETTERS.email_confirmation(stranger, "secret"),
        LETTERS.password_reset(stranger, "secret"),
        LETTERS.password_changed(stranger),
    ):
        assert letter.get_content().startswith("Hello,\n")
        assert "attacker" not in str(letter)


async def test_a_mail_is_sent_again_after_a_failure() -> None:
    kept = Kept(failures=2)
    mail = QueuedMail(LETTERS, kept, pause=lambda _: 0)
    async with mail.lifespan():
        mail.password_reset(account(), "secret")
        await asyncio.wait_for(kept.arrived.wait(), 5)
    assert len(kept.letters) == 1
    assert kept.letters[0]["Message-ID"]
    assert kept.letters[0]["Date"]


async def test_a_mail_that_cannot_be_sent_is_given_up_and_the_others_go_out() -> None:
    kept, tries = Kept(), 0

    async def deliver(letter: EmailMessage) -> None:
        nonlocal tries
        if "first" in letter.get_content():
            tries += 1
            raise ConnectionRefusedError
        await kept(letter)

    mail = QueuedMail(LETTERS, deliver, pause=lambda _: 0)
    async with mail.lifespan():
        mail.password_reset(account(), "first")
        mail.password_reset(account(), "second")
    assert ["second" in letter.get_content() for letter in kept.letters] == [True]
    assert tries == 5


def refused(code: int) -> SMTPRecipientsRefused:
    return SMTPRecipientsRefused(
        [SMTPRecipientRefused(code, "no <minji@example.com> here", "minji@example.com")]
    )


@pytest.mark.parametrize("fault", [refused(550), SMTPDataError(554, "no"), SMTPNotSupported("no SMTPUTF8")])
async def test_a_refusal_that_is_final_is_not_tried_again_and_logged_once_without_the_address(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    tries = 0

    async def deliver(_: EmailMessage) -> None:
        nonlocal tries
        tries += 1
        raise fault

    mail = QueuedMail(LETTERS, deliver, pause=lambda _: 0)
    async with mail.lifespan():
        mail.email_confirmation(account(), "secret")
    assert tries == 1
    assert [record.message for record in caplog.records] == ["mail refused"]
    assert "minji" not in str([vars(record) for record in caplog.records])
    assert "secret" not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("fault", [refused(450), SMTPDataError(451, "later"), SMTPServerDisconnected("gone")])
async def test_a_refusal_for_now_is_tried_again(fault: Exception) -> None:
    kept, tries = Kept(), 0

    async def deliver(letter: EmailMessage) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise fault
        await kept(letter)

    mail = QueuedMail(LETTERS, deliver, pause=lambda _: 0)
    async with mail.lifespan():
        mail.password_reset(account(), "secret")
        await asyncio.wait_for(kept.arrived.wait(), 5)
    assert tries == 2


async def test_mails_that_wait_for_another_try_hold_no_others_up() -> None:
    kept, refusals = Kept(), 0

    async def deliver(letter: EmailMessage) -> None:
        nonlocal refusals
        if "later" in letter.get_content():
            refusals += 1
            raise refused(450)
        await kept(letter)

    mail = QueuedMail(LETTERS, deliver, pause=lambda _: 1000, last_call=0)
    async with mail.lifespan():
        for _ in range(8):
            mail.password_reset(account(), "later")
        mail.password_reset(account(), "now")
        await asyncio.wait_for(kept.arrived.wait(), 5)
        assert refusals == 8


async def test_mails_about_a_password_go_ahead_of_confirmations() -> None:
    kept = Kept()
    mail = QueuedMail(LETTERS, kept)
    for _ in range(20):
        mail.email_confirmation(account(), "secret")
    mail.password_reset(account(), "secret")
    async with mail.lifespan():
        await asyncio.wait_for(kept.arrived.wait(), 5)
        assert kept.letters[0]["Subject"] == "Choose a new password"


async def test_confirmations_that_wait_leave_room_for_mails_about_a_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = Kept()
    mail = QueuedMail(LETTERS, kept)
    for _ in range(1001):
        mail.email_confirmation(account(), "secret")
    assert [record.message for record in caplog.records] == ["mail dropped: too many wait"]
    mail.password_reset(account(), "secret")
    async with mail.lifespan():
        await asyncio.wait_for(kept.arrived.wait(), 5)
    assert kept.letters[0]["Subject"] == "Choose a new password"


async def test_a_mail_between_two_tries_counts_among_those_that_wait(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tried = asyncio.Event()

    async def deliver(_: EmailMessage) -> None:
        tried.set()
        raise refused(450)

    mail = QueuedMail(LETTERS, deliver, pause=lambda _: 1000, last_call=0)
    async with mail.lifespan():
        mail.password_changed(account())
        await asyncio.wait_for(tried.wait(), 5)
        caplog.clear()
        for _ in range(1000):
            mail.password_changed(account())
        assert [record.message for record in caplog.records] == ["mail dropped: too many wait"]


async def test_a_mail_that_takes_its_time_does_not_hold_the_others_up() -> None:
    kept, never = Kept(), asyncio.Event()

    async def deliver(letter: EmailMessage) -> None:
        if "slow" in letter.get_content():
            await never.wait()
        await kept(letter)

    mail = QueuedMail(LETTERS, deliver)
    async with mail.lifespan():
        mail.password_reset(account(), "slow")
        mail.password_reset(account(), "second")
        await asyncio.wait_for(kept.arrived.wait(), 5)
        never.set()


async def test_what_waits_is_sent_before_the_process_stops() -> None:
    kept = Kept()
    mail = QueuedMail(LETTERS, kept)
    async with mail.lifespan():
        for number in range(20):
            mail.password_reset(account(), f"secret {number}")
    assert len(kept.letters) == 20


async def test_a_mail_that_cannot_be_written_does_not_stop_the_others() -> None:
    kept = Kept()
    mail = QueuedMail(LETTERS, kept)
    async with mail.lifespan():
        mail.password_reset(replace(account(), email="a@example.com\nBcc: all@example.com"), "first")
        mail.password_reset(account(), "second")
        await asyncio.wait_for(kept.arrived.wait(), 5)
    assert ["second" in letter.get_content() for letter in kept.letters] == [True]


async def test_an_address_beyond_ascii_is_written_to(tmp_path: Path) -> None:
    mail = QueuedMail(LETTERS, delivery(f"file://{tmp_path}"))
    async with mail.lifespan():
        mail.password_reset(replace(account(), email="üser@example.com"), "secret")
        for _ in range(100):
            if list(tmp_path.glob("*.eml")):
                break
            await asyncio.sleep(0.02)
    assert len(list(tmp_path.glob("*.eml"))) == 1


async def test_what_waits_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    mail = QueuedMail(LETTERS, Kept())
    for _ in range(1001):
        mail.password_changed(account())
    assert [record.message for record in caplog.records] == ["mail dropped: too many wait"]
    assert "minji" not in caplog.text


async def test_mail_goes_out_over_smtp() -> None:
    received: list[Any] = []

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            received.append(envelope)
            return "250 OK"

    server = Controller(Handler(), hostname="127.0.0.1", port=throwaway.free_port())
    server.start()
    try:
        letter = LETTERS.password_reset(account(), "the_secret-1")
        await delivery(f"smtp://127.0.0.1:{server.port}")(letter)
    finally:
        server.stop()
    [envelope] = received
    assert envelope.rcpt_tos == ["minji@example.com"]
    assert b"/password/reset?token=the_secret-1" in envelope.content


async def test_a_password_for_the_mail_server_is_not_sent_in_clear() -> None:
    seen: list[str] = []

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
            seen.append("mail")
            return "250 OK"

    def accept(*_: Any) -> AuthResult:
        seen.append("password")
        return AuthResult(success=True)

    # It offers AUTH and no STARTTLS, as a server does whose offer somebody in between has removed.
    server = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=throwaway.free_port(),
        authenticator=accept,
        auth_require_tls=False,
    )
    server.start()
    try:
        send = delivery(f"smtp://gatehouse:password@127.0.0.1:{server.port}")
        with pytest.raises(SMTPException):
            await send(LETTERS.password_reset(account(), "secret"))
    finally:
        server.stop()
    assert seen == []


async def test_mail_is_kept_as_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    kept = delivery(f"file://{tmp_path}/mail")
    mail = QueuedMail(LETTERS, kept)
    async with mail.lifespan():
        mail.password_reset(account(), "the_secret-1")
        for _ in range(100):
            if list(tmp_path.glob("mail/*.eml")):
                break
            await asyncio.sleep(0.02)
    [file] = tmp_path.glob("mail/*.eml")
    assert "the_secret-1" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
