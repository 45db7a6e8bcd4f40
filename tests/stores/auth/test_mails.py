"""auth's mails between the change that they tell of and a mail server: what is kept, for how long, and what is not."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from devstack import throwaway
from services.auth.adapters import tables
from services.auth.adapters.accounts_postgres import PostgresAccounts
from services.auth.adapters.email_templates import EmailTemplates
from services.auth.adapters.links_postgres import PostgresLinks
from services.auth.adapters.mail_messages import CONFIRMATION, MAIL, OutboxMail
from services.auth.adapters.mail_writer import MailWriter
from services.auth.adapters.member_message import OutboxMemberMessage
from services.auth.application.mailed_links import MailedLinks
from services.auth.application.mailing import Mailing
from services.auth.commands import MIGRATIONS
from services.auth.domain.accounts import Account
from services.auth.domain.errors import InvalidLink
from services.auth.domain.mails import Kind
from services.auth.settings import Settings
from services.chassis import outbox
from services.chassis.mail.delivery import Deliver, delivery
from services.chassis.mail.target import MailTarget
from services.chassis.migrations import migrate
from services.chassis.outbox import delivery as outbox_delivery
from services.chassis.postgres import Database
from services.chassis.redis import Redis
from tests.mail_server import mail_server
from tests.stores.auth.calls import PASSWORD, Client, bearer, mailed_token, register, sign_in
from tests.waiting import WITHIN

INTERNAL = {"X-Internal-Key": "internal-key-of-the-tests"}
MINJI = "minji@example.com"


def account(email: str) -> Account:
    return Account(
        id=uuid4(),
        email=email,
        name="Kim Minji",
        roles=(),
        status="active",
        password_hash="",
        email_verified=False,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


class Post:
    """auth's mails without the rest of it: messages, and rounds of delivering them."""

    def __init__(self, database: Database, redis: Redis) -> None:
        self.database = database
        self.accounts = PostgresAccounts(database, OutboxMemberMessage(database))
        self.links = MailedLinks(
            accounts=self.accounts,
            links=PostgresLinks(database),
            key=b"k" * 32,
            reset_within=60,
            confirm_within=60,
        )
        self._mailing = Mailing(accounts=self.accounts, links=self.links)

    async def enqueue(self, kind: Kind, email: str, language: str = "en") -> None:
        """With the account that it is about, if that is not there yet."""
        mail = OutboxMail(self.database)
        async with self.database.transaction():
            found = await self.accounts.by_email(email)
            if found is None:
                found = account(email)
                await self.accounts.add_if_absent(found)
            await mail.enqueue(kind, found, language)

    def delivering(self, deliver: Deliver, **others: outbox.Target) -> outbox.Delivery:
        letters = EmailTemplates("http://localhost:3000", "no-reply@gatehouse.example")
        target = MailTarget(MailWriter(self._mailing, letters), deliver, clock=lambda: 0.0)
        return outbox.Delivery(
            outbox.OutboxStore(self.database),
            targets={MAIL: target, CONFIRMATION: target, **others},
            registry=CollectorRegistry(),
        )

    async def round(self, delivering: outbox.Delivery, target: str = MAIL) -> int:
        """Delivers what waits, be it due or not."""
        async with self.database.transaction() as connection:
            await connection.execute("UPDATE outbox SET next_attempt_at = clock_timestamp()")
        return await delivering.deliver_due(target)

    async def waiting(self) -> list[outbox.OutboxMessage]:
        messages = await outbox.OutboxStore(self.database).listed(dead_only=False, limit=100)
        return [message for message in messages if message.target in {MAIL, CONFIRMATION}]


@pytest.fixture
async def post(settings: Settings, redis: Redis) -> AsyncIterator[Post]:
    database = tables.bound(settings.database_url)
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        yield Post(database, redis)


async def test_mails_outlast_a_mail_server_that_is_down_however_often_they_are_tried(post: Post) -> None:
    port = throwaway.free_port()
    delivering = post.delivering(delivery(f"smtp://127.0.0.1:{port}"))
    await post.enqueue(Kind.PASSWORD_RESET, MINJI)
    await post.enqueue(Kind.PASSWORD_CHANGED, MINJI, "ko")
    for _ in range(12):
        assert await post.round(delivering) == 2
    assert [message.attempts for message in await post.waiting()] == [12, 12]
    with mail_server(port) as taken:
        await post.round(delivering)
    assert {letter["Subject"] for letter in taken} == {"Choose a new password", "비밀번호가 변경되었습니다"}
    assert await post.waiting() == []


async def test_a_mail_that_is_refused_for_good_is_forgotten_and_the_others_go_out(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    port = throwaway.free_port()
    delivering = post.delivering(delivery(f"smtp://127.0.0.1:{port}"))
    for email in ("gone@example.com", MINJI):
        await post.enqueue(Kind.PASSWORD_CHANGED, email)
    with mail_server(port, refuses="gone@example.com") as taken:
        await post.round(delivering)
    assert [letter["To"] for letter in taken] == [MINJI]
    assert await post.waiting() == []
    [told] = [record for record in caplog.records if record.message == "a message was not delivered"]
    assert (told.levelname, told.__dict__["fate"]) == ("ERROR", "drop")
    assert told.__dict__["cause"] == "SMTPRecipientsRefused 550"
    assert "gone@" not in str([vars(record) for record in caplog.records])


async def test_a_mail_server_that_leaves_every_mail_hanging_is_given_up_after_three_days_like_any_other(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MailTarget.longest_try < outbox_delivery.ATTEMPT_TIMEOUT_S
    monkeypatch.setattr(MailTarget, "longest_try", 0.1)
    monkeypatch.setattr(outbox_delivery, "ATTEMPT_TIMEOUT_S", 1.0)

    async def deliver(_: EmailMessage) -> None:
        await asyncio.Event().wait()

    delivering = post.delivering(deliver)
    await post.enqueue(Kind.PASSWORD_CHANGED, MINJI)
    await post.round(delivering)
    assert [message.attempts for message in await post.waiting()] == [1]
    async with post.database.transaction() as connection:
        # By the clock of the target it is 1970.
        await connection.execute("UPDATE outbox SET created_at = '1969-12-01'")
    await post.round(delivering)
    assert await post.waiting() == []


async def test_a_link_that_was_used_stays_used_however_often_its_mail_is_tried(post: Post) -> None:
    letters: list[EmailMessage] = []

    async def deliver(letter: EmailMessage) -> None:
        letters.append(letter)
        raise ConnectionResetError  # the server has taken it, and we never hear of that

    def secret(letter: EmailMessage) -> str:
        return str(re.findall(r"token=(\S+)", letter.get_content())[0])

    delivering = post.delivering(deliver)
    await post.enqueue(Kind.PASSWORD_RESET, MINJI)
    await post.round(delivering)
    await post.round(delivering)
    first, again = letters
    assert secret(first) == secret(again)
    await post.links.take(secret(first))
    await post.round(delivering)
    assert len(letters) == 2
    assert await post.waiting() == []
    for use in (post.links.look, post.links.take):
        with pytest.raises(InvalidLink):
            await use(secret(first))


async def test_a_password_link_waits_neither_for_a_flood_of_confirmations_nor_for_a_member_that_is_down(
    post: Post,
) -> None:
    arrived, stuck = asyncio.Event(), asyncio.Event()

    async def deliver(letter: EmailMessage) -> None:
        if letter["Subject"] == "Confirm your e-mail address":
            stuck.set()
            await asyncio.Event().wait()
        arrived.set()

    class Down:
        batch, look_every, longest_delay = 4, 1.0, 1.0

        async def __call__(self, message: outbox.OutboxMessage) -> tuple[outbox.Answer, str]:
            await asyncio.Event().wait()
            raise AssertionError

    for number in range(50):
        await post.enqueue(Kind.EMAIL_CONFIRMATION, f"flood-{number}@example.com")
        async with post.database.transaction():
            await OutboxMemberMessage(post.database)(account(f"flood-{number}@example.com"))
    async with post.delivering(deliver, member=Down()).lifespan(), asyncio.timeout(WITHIN):
        await stuck.wait()
        await post.enqueue(Kind.PASSWORD_RESET, MINJI)
        await arrived.wait()


async def test_a_member_is_made_while_the_mail_server_never_answers(post: Post) -> None:
    made = asyncio.Event()

    class Member:
        batch, look_every, longest_delay = 4, 1.0, 1.0

        async def __call__(self, message: outbox.OutboxMessage) -> tuple[outbox.Answer, str]:
            made.set()
            return outbox.Answer.TAKEN, ""

    stuck = asyncio.Event()

    async def deliver(_: EmailMessage) -> None:
        stuck.set()
        await asyncio.Event().wait()

    for number in range(8):
        await post.enqueue(Kind.PASSWORD_CHANGED, f"mailed-{number}@example.com")
    async with post.delivering(deliver, member=Member()).lifespan(), asyncio.timeout(WITHIN):
        await stuck.wait()
        await post.accounts.register(account(MINJI))
        await made.wait()


async def test_what_waits_is_bounded_and_confirmations_leave_room_for_all_other_mails(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    async with post.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO outbox (aggregate, target, method, path, body, next_attempt_at) "
            "SELECT 'mail:' || n, $1, 'SEND', '/email_confirmation', '', 'infinity' "
            "FROM generate_series(1, 10000) AS n",
            CONFIRMATION,
        )
    await post.enqueue(Kind.EMAIL_CONFIRMATION, MINJI)
    assert [record.message for record in caplog.records] == ["mail dropped: too many wait"]
    assert "minji" not in str([vars(record) for record in caplog.records])
    await post.enqueue(Kind.PASSWORD_RESET, MINJI)
    assert await post.database.fetch(
        "SELECT target, count(*) AS count FROM outbox GROUP BY target ORDER BY target"
    ) == [(CONFIRMATION, 10_000), (MAIL, 1)]


async def recorded(database: Database) -> None:
    """From now on, each row of the outbox is kept in `seen` as it was written, and as it was changed."""
    async with database.transaction() as connection:
        await connection.execute(
            """
            CREATE TABLE seen AS SELECT * FROM outbox;
            CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN INSERT INTO seen SELECT NEW.*; RETURN NULL; END';
            CREATE TRIGGER seen AFTER INSERT OR UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION see()
            """
        )


@pytest.fixture
async def database(client: Client, settings: Settings) -> AsyncIterator[Database]:
    """The running auth's, with what passes through its outbox recorded."""
    database = Database(settings.database_url, application="test", pool_max=2)
    async with database.lifespan():
        await recorded(database)
        yield database


async def test_no_row_of_the_outbox_ever_holds_a_secret(
    client: Client, database: Database, tmp_path: Path
) -> None:
    folder, moved, new = tmp_path / "mail", "moved@example.com", "quite another sentence"
    await register(client, MINJI)
    await mailed_token(folder, MINJI, "/email/verify")
    tokens = await sign_in(client, email=MINJI, password=PASSWORD)
    change = {"current_password": PASSWORD, "new_password": new}
    answer = await client.post("/api/auth/password/change", json=change, headers=bearer(tokens))
    assert answer.status_code == 204
    await client.post("/api/auth/password/forgot", json={"email": MINJI})
    await mailed_token(folder, MINJI, "/password/reset")
    change = {"email": moved, "current_password": new}
    assert (await client.post("/api/auth/email", json=change, headers=bearer(tokens))).status_code == 202
    link = await mailed_token(folder, moved, "/email/verify")
    assert (await client.post("/api/auth/email/verify", json={"token": link})).status_code == 204
    while len(letters := [file.read_text() for file in folder.glob("*.eml")]) < 6:
        await asyncio.sleep(0.02)

    secrets = {found for letter in letters for found in re.findall(r"token=(\S+)", letter)}
    assert len(secrets) == 3  # all but the notices have one
    rows = [str(dict(row)) for row in await database.fetch("SELECT * FROM seen")]
    for kind in Kind:
        assert [row for row in rows if f"'/{kind}'" in row]
    for secret in {*secrets, PASSWORD, new}:
        assert not [row for row in rows if secret in row]


async def test_forgetting_writes_the_same_for_everybody(client: Client, database: Database) -> None:
    gone = await register(client, "gone@example.com")
    await register(client, MINJI)
    disabled = {"status": "disabled"}
    await client.put(f"/internal/accounts/{gone['id']}/status", json=disabled, headers=INTERNAL)
    for email in (MINJI, "gone@example.com", "nobody@example.com", "no address"):
        answer = await client.post("/api/auth/password/forgot", json={"email": email})
        assert answer.status_code == 202
    rows = await database.fetch(
        "SELECT method || path AS what, length(body) AS size FROM seen WHERE target = 'mail' AND attempts = 0"
    )
    assert len(rows) == 4
    assert len(set(rows)) == 1


async def test_what_has_no_message_of_its_mail_has_not_happened(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client, MINJI)
    tokens = await sign_in(client, email=MINJI, password=PASSWORD)

    async def broken(*_: Any, **__: Any) -> None:
        raise OSError

    newcomer = {"email": "new@example.com", "password": PASSWORD, "name": "New"}
    change = {"current_password": PASSWORD, "new_password": "quite another sentence"}
    moved = {"email": "moved@example.com", "current_password": PASSWORD}
    with monkeypatch.context() as outage:
        outage.setattr(OutboxMail, "enqueue", broken)
        answers = [
            await client.post("/api/auth/register", json=newcomer),
            await client.post("/api/auth/password/change", json=change, headers=bearer(tokens)),
            await client.post("/api/auth/email", json=moved, headers=bearer(tokens)),
        ]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    await sign_in(client, email=MINJI, password=PASSWORD)
    assert (await client.post("/api/auth/register", json=newcomer)).status_code == 201
