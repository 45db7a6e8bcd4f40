"""auth's mails: what they hold, whom they reach, and what becomes of one that is not sent."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from devstack import throwaway
from services.auth.adapters.email_templates import EmailTemplates
from services.auth.adapters.mail_writer import MailWriter
from services.auth.application.mailing import Mailing, PreparedMail
from services.auth.domain.accounts import Account
from services.auth.domain.errors import InvalidLink
from services.auth.domain.mails import Kind
from services.chassis.errors import Unavailable
from services.chassis.mail.delivery import delivery
from services.chassis.mail.target import MailTarget
from services.chassis.outbox import Answer, OutboxMessage
from tests.unit.auth.parts import HERE, Parts

TEMPLATES = EmailTemplates("http://localhost:3000", "Gatehouse <no-reply@gatehouse.example>")


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


def written(
    kind: Kind, to: Account | None = None, secret: str = "", address: str = "", language: str = "en"
) -> EmailMessage:
    about = to or account()
    return TEMPLATES.written(PreparedMail(kind, language, about, address or about.email, secret))


@pytest.mark.parametrize("kind", Kind)
def test_a_mail_says_the_same_in_the_readers_language(kind: Kind) -> None:
    reader = account(verified=True)
    english, korean = (
        written(kind, reader, secret="the_secret-1", language=language) for language in ("en", "ko")
    )
    assert korean.get_content().startswith("Kim Minji님, 안녕하세요.")
    assert not str(korean["Subject"]).isascii() and str(english["Subject"]).isascii()
    links = [sorted(re.findall(r"http\S+", letter.get_content())) for letter in (english, korean)]
    assert links[0] == links[1]


def test_a_link_stands_in_the_text_as_it_is() -> None:
    letter = written(Kind.PASSWORD_RESET, secret="the_secret-1")
    assert b"http://localhost:3000/password/reset?token=the_secret-1\n" in letter.as_bytes()
    assert letter["To"] == "minji@example.com"


@pytest.mark.parametrize("name", ["김민지", "Kim Minji"])
def test_a_name_of_any_script_arrives(name: str) -> None:
    sent = written(Kind.PASSWORD_CHANGED, account(name, verified=True)).as_bytes()
    assert f"Hello {name}," in message_from_bytes(sent, policy=default).get_content()


def test_a_name_cannot_pass_for_the_mails_own_text() -> None:
    name = "Minji\n\nClick https://attacker.example\n" + "x" * 200
    lines = written(Kind.PASSWORD_CHANGED, account(name, verified=True)).get_content().splitlines()
    assert lines[0].startswith("Hello Minji Click")
    assert len(lines[0]) < 120
    assert lines[1] == ""


def test_who_did_not_ask_for_another_address_reads_how_to_stop_it() -> None:
    letter = written(Kind.EMAIL_CHANGE_REQUESTED)
    assert letter["To"] == "minji@example.com"
    assert "http://localhost:3000/password/forgot\n" in letter.get_content()
    assert "http://localhost:3000/account/email\n" in letter.get_content()


@pytest.mark.parametrize("kind", [Kind.EMAIL_CHANGE_REQUESTED, Kind.EMAIL_CHANGED])
def test_a_notice_to_the_former_address_has_no_link_that_changes_something_and_no_other_address(
    kind: Kind,
) -> None:
    about = replace(account(), email="stranger@example.com", pending_email="stranger@example.com")
    letter = written(kind, about, secret="the_secret", address="minji@example.com")
    assert "the_secret" not in letter.get_content()
    assert "stranger" not in str(letter)


@pytest.mark.parametrize("kind", Kind)
def test_whoever_registers_a_strangers_address_cannot_write_to_the_stranger(kind: Kind) -> None:
    """Nor does who confirms an address of their own and then names a stranger's."""
    name = "You won: https://attacker.example"
    for about in (account(name), replace(account(name, verified=True), email="attacker@example.com")):
        letter = written(kind, about, "secret", "minji@example.com")
        assert letter.get_content().startswith("Hello,\n")
        assert "attacker" not in str(letter)


@dataclass
class Post:
    """A target over the parts, and what it gave to be delivered; each letter meets the next fault, if any."""

    parts: Parts = field(default_factory=Parts)
    faults: list[Exception] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)

    async def deliver(self, letter: EmailMessage) -> None:
        self.letters.append(letter)
        if self.faults:
            raise self.faults.pop(0)

    async def send(self, message: OutboxMessage, *, after: float = 0) -> tuple[Answer, str]:
        clock = message.created_at.timestamp() + after
        mailing = Mailing(accounts=self.parts.accounts, links=self.parts.links)
        return await MailTarget(MailWriter(mailing, TEMPLATES), self.deliver, clock=lambda: clock)(message)


def outbox_message(account: UUID, kind: str = "password_reset", to: str = "", mail: int = 1) -> OutboxMessage:
    """A message as the outbox hands it out."""
    return OutboxMessage(
        id=mail,
        aggregate=f"mail:{UUID(int=mail)}",
        target="mail",
        method="SEND",
        path=f"/{kind}",
        body=msgspec.json.encode({"account": account, "to": to}),
        request_id="",
        attempts=0,
        refusals=0,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        dead_letter_at=None,
        last_error="",
    )


def refused(code: int, why: str = "no <minji@example.com> here") -> SMTPRecipientsRefused:
    return SMTPRecipientsRefused([SMTPRecipientRefused(code, why, "minji@example.com")])


@pytest.mark.parametrize(
    "fault",
    [
        refused(550, "5.1.1 no <minji@example.com>"),
        refused(550),
        SMTPDataError(554, "no"),
        SMTPNotSupported("no SMTPUTF8"),
    ],
)
async def test_a_mail_that_is_refused_for_good_is_dropped_and_why_is_told_without_the_address(
    fault: Exception,
) -> None:
    post = Post(faults=[fault])
    answer, cause = await post.send(outbox_message(await post.parts.account()))
    assert answer is Answer.HOPELESS
    assert cause.startswith(type(fault).__name__)
    assert "minji" not in cause


@pytest.mark.parametrize(
    "fault",
    [
        refused(450),
        SMTPDataError(451, "later"),
        SMTPServerDisconnected("gone"),
        ConnectionRefusedError(),
        # What a server says of us is mended in the settings; the mail is as good as before.
        SMTPAuthenticationError(535, "wrong password"),
        SMTPSenderRefused(550, "not from there", "no-reply@gatehouse.example"),
        SMTPConnectResponseError(554, "no service for you"),
        refused(554, "5.7.1 <minji@example.com>: Relay access denied"),
        SMTPDataError(550, "5.7.26 From: is not authenticated\n5.7.26 see our pages"),
    ],
)
async def test_any_other_mail_that_is_not_sent_is_tried_again_for_three_days(fault: Exception) -> None:
    post = Post(faults=[fault, fault, fault])
    message = outbox_message(await post.parts.account())
    assert (await post.send(message))[0] is Answer.NOT_NOW
    assert (await post.send(message, after=3 * 86400 - 1))[0] is Answer.NOT_NOW
    assert (await post.send(message, after=3 * 86400 + 1))[0] is Answer.HOPELESS
    assert (await post.send(message, after=3 * 86400 + 1))[0] is Answer.TAKEN


async def test_while_the_links_store_is_down_a_mail_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: Any) -> None:
        raise Unavailable("the database is down")

    post = Post()
    message = outbox_message(await post.parts.account())
    with monkeypatch.context() as outage:
        outage.setattr(post.parts.link_store, "put", down)
        assert await post.send(message) == (Answer.NOT_NOW, "Unavailable")
    assert (await post.send(message))[0] is Answer.TAKEN


async def test_a_mail_that_is_tried_again_is_the_same_mail_with_the_same_link() -> None:
    post = Post(faults=[refused(450)])
    account = await post.parts.account()
    await post.send(outbox_message(account))
    await post.send(outbox_message(account))
    await post.send(outbox_message(account, mail=2))
    first, again, another = [(letter["Message-ID"], letter.get_content()) for letter in post.letters]
    assert first == again
    assert first[0] != another[0]
    assert first[1] != another[1]
    assert all(letter["Date"] for letter in post.letters)


async def test_a_mail_whose_link_was_used_has_arrived_and_gives_nobody_the_link_again() -> None:
    post = Post(faults=[SMTPServerDisconnected("gone, with the mail")])
    parts, account = post.parts, await post.parts.account()
    assert (await post.send(outbox_message(account)))[0] is Answer.NOT_NOW
    [secret] = re.findall(r"token=(\S+)", post.letters[0].get_content())
    await parts.password_service.reset(secret, "quite another sentence", HERE)
    assert await post.send(outbox_message(account)) == (Answer.TAKEN, "")
    with pytest.raises(InvalidLink):
        await parts.password_service.reset(secret, "whatever somebody likes", HERE)
    assert len(post.letters) == 1


async def test_a_mail_that_cannot_be_written_is_dropped() -> None:
    post = Post()
    account = await post.parts.account("a@example.com\nBcc: all@example.com")
    assert await post.send(outbox_message(account)) == (Answer.HOPELESS, "not written: ValueError")
    assert post.letters == []


async def test_a_mail_of_a_later_releases_kind_waits_for_it() -> None:
    post = Post()
    with pytest.raises(LookupError, match="later_kind"):  # the outbox tries again whatever a target raises
        await post.send(outbox_message(await post.parts.account(), "later_kind"))


async def test_an_erased_account_gets_no_mail_and_its_messages_are_done_with() -> None:
    post = Post()
    account = await post.parts.account()
    await post.parts.accounts.erase(account)
    for kind in Kind:
        assert await post.send(outbox_message(account, kind, "minji@example.com")) == (Answer.TAKEN, "")
        assert await post.send(outbox_message(UUID(int=0), kind, "minji@example.com")) == (Answer.TAKEN, "")
    assert post.letters == []


async def test_a_notice_reaches_whom_it_concerns_whatever_became_of_the_account_meanwhile() -> None:
    """Somebody with the password moves the account on before the mail server is back."""
    post = Post()
    accounts, was, thiefs = post.parts.accounts, "minji@example.com", "thief@example.com"
    account = await post.parts.account(was)
    await accounts.set_email(account, thiefs)
    for kind in (Kind.PASSWORD_CHANGED, Kind.EMAIL_CHANGE_REQUESTED, Kind.EMAIL_CHANGED):
        assert (await post.send(outbox_message(account, kind, was)))[0] is Answer.TAKEN
    assert [letter["To"] for letter in post.letters] == [was, was, was]
    await post.send(outbox_message(account))
    assert post.letters[3]["To"] == thiefs
    await post.parts.links.look(token(post.letters[3]))


async def test_a_link_to_a_pending_address_is_mailed_only_while_it_is_pending() -> None:
    post = Post()
    accounts, wanted = post.parts.accounts, "new@example.com"
    account = await post.parts.account("minji@example.com")
    hash_ = "h1:good sentence"
    assert await post.send(outbox_message(account, Kind.EMAIL_CHANGE, wanted)) == (Answer.TAKEN, "")
    await accounts.propose_email(account, "another@example.com", expecting=hash_)
    assert await post.send(outbox_message(account, Kind.EMAIL_CHANGE, wanted)) == (Answer.TAKEN, "")
    assert post.letters == []
    await accounts.propose_email(account, wanted, expecting=hash_)
    await post.send(outbox_message(account, Kind.EMAIL_CHANGE, wanted))
    await post.parts.email_service.confirm(token(post.letters[0]), HERE)


def token(letter: EmailMessage) -> str:
    return str(letter.get_content()).partition("token=")[2].split()[0]


async def test_who_moved_back_is_not_told_of_having_moved() -> None:
    post = Post()
    account = await post.parts.account("minji@example.com")
    await post.send(outbox_message(account, Kind.EMAIL_CHANGED, "minji@example.com"))
    assert post.letters == []


async def test_only_the_address_that_an_account_has_is_asked_to_confirm_and_only_while_it_has_not() -> None:
    post = Post()
    account = await post.parts.account("minji@example.com")
    await post.send(outbox_message(account, Kind.EMAIL_CONFIRMATION, "left@example.com"))
    assert post.letters == []
    await post.send(outbox_message(account, Kind.EMAIL_CONFIRMATION, "minji@example.com"))
    await post.parts.email_service.confirm(token(post.letters[0]), HERE)
    await post.send(outbox_message(account, Kind.EMAIL_CONFIRMATION, "minji@example.com", mail=2))
    assert len(post.letters) == 1


async def test_an_address_beyond_ascii_is_written_to(tmp_path: Path) -> None:
    letter = written(Kind.PASSWORD_RESET, replace(account(), email="üser@example.com"))
    letter["Message-ID"] = "<1@gatehouse.example>"
    await delivery(f"file://{tmp_path}")(letter)
    assert len(list(tmp_path.glob("*.eml"))) == 1


async def test_mail_goes_out_over_smtp() -> None:
    received: list[Any] = []

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            received.append(envelope)
            return "250 OK"

    server = Controller(Handler(), hostname="127.0.0.1", port=throwaway.free_port())
    server.start()
    try:
        letter = written(Kind.PASSWORD_RESET, secret="the_secret-1")
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
            await send(written(Kind.PASSWORD_RESET, secret="secret"))
    finally:
        server.stop()
    assert seen == []


async def test_mail_is_kept_as_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    letter = written(Kind.PASSWORD_RESET, secret="the_secret-1")
    letter["Message-ID"] = "<1@gatehouse.example>"
    await delivery(f"file://{tmp_path}/mail")(letter)
    [file] = tmp_path.glob("mail/*.eml")
    assert "the_secret-1" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


async def test_an_address_of_any_script_passes_a_relay_without_smtputf8() -> None:
    """Its domain goes as an A-label, in the envelope and the headers; the sender's does, too."""
    received: list[tuple[str, list[str], bytes]] = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            received.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
            return "250 OK"

    server = Controller(Handler(), hostname="127.0.0.1", port=throwaway.free_port(), enable_SMTPUTF8=False)
    server.start()
    try:
        templates = EmailTemplates("http://localhost:3000", "쇼핑 <no-reply@bücher.example>")
        to = replace(account(), email="minji@bücher.example")
        await delivery(f"smtp://127.0.0.1:{server.port}")(
            templates.written(PreparedMail(Kind.PASSWORD_RESET, "en", to, to.email, "secret"))
        )
    finally:
        server.stop()
    [(sender, recipients, content)] = received
    assert (sender, recipients) == ("no-reply@xn--bcher-kva.example", ["minji@xn--bcher-kva.example"])
    letter = message_from_bytes(content, policy=default)
    assert content.isascii()
    assert letter["From"] == "쇼핑 <no-reply@xn--bcher-kva.example>"
    assert letter["To"] == "minji@xn--bcher-kva.example"
