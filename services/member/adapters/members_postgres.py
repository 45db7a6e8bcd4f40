"""Members in PostgreSQL. Database down: every call raises the chassis' Unavailable, and the caller gets a 503."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from piccolo.columns.combination import And, Or, WhereRaw
from piccolo.querystring import QueryString

from services.chassis.postgres import Database
from services.member.adapters.tables import MemberRow
from services.member.application.ports import Query, Sort
from services.member.domain.errors import EmailTaken
from services.member.domain.member import Address, Grade, Member, Profile
from services.member.domain.values import composed

_decode_addresses = msgspec.json.Decoder(tuple[Address, ...]).decode

FEW = 1000
"""So many ids are looked up one by one in a few milliseconds."""

_SORT_COLUMNS = {
    Sort.NEWEST: MemberRow.created_at,
    Sort.OLDEST: MemberRow.created_at,
    Sort.NAME: MemberRow.name_folded,
    Sort.EMAIL: MemberRow.email,
}


class PostgresMembers:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, member: Member) -> None:
        async with self._database.transaction() as connection:
            await _refuse_taken(connection, member)
            try:
                await MemberRow.insert(MemberRow(**_values(member)))
            except asyncpg.UniqueViolationError as fault:
                raise EmailTaken from fault

    async def follow_account(self, member: Member, sequence: int | None = None) -> bool:
        said = member.profile
        async with self._database.transaction() as connection:
            made = await connection.fetchval(
                """
                INSERT INTO member (
                    id, email, name, name_folded, account_email, account_name, account_order, created_at, updated_at
                )
                VALUES ($1, $2, $3, $4, $2, $3, $5, $6, $6)
                ON CONFLICT (id) DO NOTHING RETURNING true
                """,
                member.id,
                said.email,
                said.name,
                said.name.casefold(),
                sequence or 0,
                member.created_at,
            )
            if made:
                return True
            present = await connection.fetchrow(
                "SELECT email, name, account_email, account_name, account_order FROM member "
                "WHERE id = $1 AND deleted_at IS NULL FOR UPDATE",
                member.id,
            )
            if present is None or _heard(present, said, sequence):
                return False
            name = present["name"] if said.name == present["account_name"] else said.name
            await connection.execute(
                """
                UPDATE member SET email = $2, account_email = $2, name = $3, name_folded = $4, account_name = $5,
                    account_order = greatest(account_order, $6), updated_at = CASE WHEN $8 THEN $7 ELSE updated_at END,
                    version = version + $8::int
                WHERE id = $1
                """,
                member.id,
                said.email,
                name,
                name.casefold(),
                said.name,
                sequence or 0,
                member.created_at,
                (said.email, name) != (present["email"], present["name"]),
            )
        return False

    async def get(self, id_: UUID) -> Member | None:
        # The hot read of every screen: one prepared statement, nothing built.
        # Its columns are named: a column more, which the next release adds, does not void the statement.
        rows = await self._database.fetch(
            "SELECT id, email, name, phone, grade, addresses, marketing_consent, account_email, consent_changed_at, "
            "created_at, updated_at, version FROM member WHERE id = $1 AND deleted_at IS NULL",
            id_,
        )
        return _member(rows[0]) if rows else None

    async def page(self, query: Query) -> Sequence[Member]:
        few = await self._few_found(query.prefix) if query.prefix is not None else None
        if few == []:
            return []
        sql, arguments = self.statement(query, few).compile_string()
        rows = await self._database.fetch(sql, *arguments)
        return [_member(row) for row in (rows if few is None else _sorted(rows, query))]

    @staticmethod
    def statement(query: Query, few: Sequence[UUID] | None = None) -> QueryString:
        """The page's SQL, for running it and for asking the planner about it.

        `few` has the ids that the prefix finds, where they are few; those are read by their ids and sorted after.
        """
        select = MemberRow.select().where(MemberRow.deleted_at.is_null(), *_conditions(query, few))
        if few is None:
            ascending = query.sort is not Sort.NEWEST
            select = select.order_by(_SORT_COLUMNS[query.sort], MemberRow.id, ascending=ascending)
            select = select.limit(query.limit)
        return select.querystrings[0]

    async def _few_found(self, prefix: str) -> list[UUID] | None:
        """The ids that the prefix finds, None where they are many.

        Many are met soon enough by reading in the order asked for. With few, that would read the whole table, which
        the planner, knowing nothing of where they lie in that order, does not foresee.
        """
        start, end = _prefix_range(prefix)
        # Counted where they are found: a thousand ids that are then not wanted would cost more than the page.
        (found,) = await self._database.fetch(
            """
            SELECT CASE WHEN count(*) <= $3 THEN coalesce(array_agg(id), '{}') END AS ids FROM (
                (SELECT id FROM member WHERE deleted_at IS NULL AND name_folded >= $1 AND name_folded < $2 LIMIT $3 + 1)
                UNION
                (SELECT id FROM member WHERE deleted_at IS NULL AND email >= $1 AND email < $2 LIMIT $3 + 1)
            ) AS first_found
            """,
            start,
            end,
            FEW,
        )
        ids: list[UUID] | None = found["ids"]
        return ids

    async def save(self, member: Member, *, new_email: bool) -> bool:
        async with self._database.transaction() as connection:
            if new_email:
                await _refuse_taken(connection, member)
            values = _values(member)
            for kept in ("id", "created_at", "account_email", "account_name"):
                values.pop(kept, None)
            try:
                rows = (
                    await MemberRow.update(values)  # type: ignore[arg-type]
                    .where(
                        MemberRow.id == member.id,
                        MemberRow.version == member.version - 1,
                        MemberRow.deleted_at.is_null(),
                    )
                    .returning(MemberRow.id)
                )
            except asyncpg.UniqueViolationError as fault:
                raise EmailTaken from fault
        return bool(rows)

    async def delete(self, id_: UUID, now: datetime, *, versions: frozenset[int] | None) -> bool:
        async with self._database.transaction() as connection:
            gone = await connection.fetchval(
                """
                UPDATE member SET email = '', name = '', name_folded = '', phone = NULL, addresses = '[]',
                    marketing_consent = false, consent_changed_at = NULL, account_email = NULL, account_name = NULL,
                    deleted_at = $2, updated_at = $2, version = version + 1
                WHERE id = $1 AND deleted_at IS NULL AND ($3::int[] IS NULL OR version = ANY($3))
                RETURNING id
                """,
                id_,
                now,
                None if versions is None else list(versions),
            )
        return gone is not None


def _heard(present: Any, said: Profile, sequence: int | None) -> bool:
    """Whether the account said this before, or something later."""
    if sequence is None:
        return (present["account_email"], present["account_name"]) == (said.email, said.name)
    latest: int = present["account_order"]
    return sequence <= latest


async def _refuse_taken(connection: asyncpg.Connection, member: Member) -> None:
    # Between two members without accounts the unique index has the last word; an account's e-mail is auth's to decide.
    # Of two who want one address at once, the second checks after the first.
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", member.profile.email)
    taken = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM member WHERE email = $1 AND id <> $2 AND deleted_at IS NULL)",
        member.profile.email,
        member.id,
    )
    if taken:
        raise EmailTaken


def _conditions(query: Query, few: Sequence[UUID] | None) -> list[Any]:
    conditions: list[Any] = []
    if query.prefix is not None:
        start, end = _prefix_range(query.prefix)
        by_name = And(MemberRow.name_folded >= start, MemberRow.name_folded < end)
        by_email = And(MemberRow.email >= start, MemberRow.email < end)
        conditions.append(Or(by_name, by_email) if few is None else MemberRow.id.is_in(list(few)))
    if query.grade is not None:
        conditions.append(MemberRow.grade == query.grade.value)
    if query.marketing_consent is not None:
        conditions.append(MemberRow.marketing_consent == query.marketing_consent)
    if query.created_from is not None:
        conditions.append(MemberRow.created_at >= query.created_from)
    if query.created_before is not None:
        conditions.append(MemberRow.created_at < query.created_before)
    if query.after is not None:
        # A row comparison, which one index range answers; the same in ANDs and ORs would not be.
        column = _SORT_COLUMNS[query.sort]._meta.name
        sign = "<" if query.sort is Sort.NEWEST else ">"
        conditions.append(WhereRaw(f"({column}, id) {sign} ({{}}, {{}})", *query.after))
    return conditions


def _sorted(rows: Sequence[Any], query: Query) -> Sequence[Any]:
    column = _SORT_COLUMNS[query.sort]._meta.name
    in_order = sorted(rows, key=lambda row: (row[column], row["id"]), reverse=query.sort is Sort.NEWEST)
    return in_order[: query.limit]


def _prefix_range(prefix: str) -> tuple[str, str]:
    """From (inclusive) and to (exclusive), in code point order, which is what the columns' collation sorts by."""
    start = composed(prefix).casefold()
    return start, start + "\U0010ffff"


def _values(member: Member) -> dict[str, Any]:
    profile = member.profile
    return {
        "id": member.id,
        "email": profile.email,
        "name": profile.name,
        "name_folded": profile.name.casefold(),
        "phone": profile.phone,
        "grade": profile.grade.value,
        "addresses": msgspec.json.encode([asdict(address) for address in profile.addresses]).decode(),
        "marketing_consent": profile.marketing_consent,
        "consent_changed_at": member.consent_changed_at,
        "created_at": member.created_at,
        "updated_at": member.updated_at,
        "version": member.version,
    }


def _member(row: Mapping[str, Any]) -> Member:
    return Member(
        id=row["id"],
        profile=Profile(
            email=row["email"],
            name=row["name"],
            phone=row["phone"],
            grade=Grade(row["grade"]),
            addresses=_decode_addresses(row["addresses"]),
            marketing_consent=row["marketing_consent"],
        ),
        has_account=row["account_email"] is not None,
        consent_changed_at=row["consent_changed_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )
