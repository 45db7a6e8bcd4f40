"""Many members, made by the database itself, for measuring: `python -m services.member seed-load 100000`."""

from services.chassis.postgres import Database


async def load(database: Database, count: int) -> int:
    """Adds `count` members, a minute apart from the start of 2026; repeating adds only those that are missing.

    Returns how many were added.
    """
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        added: int = await connection.fetchval(
            """
            WITH made AS (
                INSERT INTO member (id, email, name, name_folded, grade, marketing_consent, created_at, updated_at)
                SELECT md5('load ' || n)::uuid, format('load-%s@example.com', lpad(n::text, 6, '0')),
                    format('Load Person %s', lpad(n::text, 6, '0')), format('load person %s', lpad(n::text, 6, '0')),
                    (ARRAY['standard', 'standard', 'standard', 'silver', 'silver', 'gold', 'gold', 'gold', 'gold',
                        'vip'])[1 + n % 10], n % 3 = 0, at, at
                FROM (SELECT n, timestamptz '2026-01-01Z' + n * interval '1 minute' AS at
                    FROM generate_series(1, $1) AS n) AS numbered
                ON CONFLICT DO NOTHING RETURNING 1
            )
            SELECT count(*) FROM made
            """,
            count,
            timeout=600,
        )
        await connection.execute("ANALYZE member")
    return added
