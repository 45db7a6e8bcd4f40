"""Twenty members and the demo administrator's own, so that a first start has something to show. Development only."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.chassis.postgres import Database
from services.member.adapters.members_postgres import PostgresMembers
from services.member.adapters.tables import MemberRow
from services.member.domain import values
from services.member.domain.member import Address, Grade, Member

ADMIN_ID = UUID("00000000-0000-4000-8000-000000000001")
ADMIN_EMAIL = "test@example.com"
ADMIN_NAME = "Test Admin"

_NAMES = (
    "Kim Minji", "Lee Junho", "Park Seoyeon", "Choi Hyunwoo", "Jung Yuna",
    "Kang Dohyun", "Cho Eunji", "Yoon Taeyang", "Jang Soyoung", "Lim Jaewon",
    "Ada Lovelace", "Alan Turing", "Grace Hopper", "Edsger Dijkstra", "Barbara Liskov",
    "Donald Knuth", "Margaret Hamilton", "Tony Hoare", "Frances Allen", "Leslie Lamport",
)  # fmt: skip
_FIRST = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_LOCK = 0x64656D6F


async def load(database: Database) -> bool:
    """Loads the demo members into an empty table; False where there is any row. Replicas take turns."""
    members = PostgresMembers(database)
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await MemberRow.exists():
            return False
        await connection.execute(
            "INSERT INTO member (id, email, name, name_folded, account_email, account_name, created_at, updated_at) "
            "VALUES ($1, $2, $3, $4, $2, $3, $5, $5)",
            ADMIN_ID,
            ADMIN_EMAIL,
            ADMIN_NAME,
            ADMIN_NAME.casefold(),
            _FIRST,
        )
        for number in range(len(_NAMES)):
            await members.add(_member(number))
    return True


def _member(number: int) -> Member:
    name = _NAMES[number]
    profile = values.profile(
        email=f"{name.lower().replace(' ', '.')}@example.com",
        name=name,
        phone=f"+8210555{number:05d}",
        grade=list(Grade)[number % len(Grade)],
        addresses=[
            Address(
                recipient=name,
                line1=f"{number + 1} Sejong-daero",
                city="Seoul",
                postal_code="04524",
                country="KR",
            )
        ],
        marketing_consent=number % 3 == 0,
    )
    id_ = UUID(f"00000000-0000-4000-8000-{number + 101:012d}")
    return Member.new(id_, profile, _FIRST + timedelta(days=7 * (number + 1)))
