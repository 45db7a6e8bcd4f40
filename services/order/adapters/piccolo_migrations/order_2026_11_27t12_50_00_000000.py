"""Orders are found by a part of their recipient's name.

PostgreSQL's trigrams find no name of two syllables, and are not everywhere: a name is found by its pairs of
characters. They are in a table of their own: an order changes a dozen times, and each change would write the index
again. A trigger fills it, so that the release before fills it as well.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T12:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Names of recipients, to find orders by"

FORWARDS = (
    # The one spelling that is kept and searched.
    """
    CREATE FUNCTION recipient_name(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT lower(normalize(name, NFKC)) $$
    """,
    """
    CREATE FUNCTION recipient_pairs(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT array_agg(DISTINCT substr(name, place, 2)) FROM generate_series(1, length(name) - 1) AS place $$
    """,
    "CREATE TABLE order_recipient (order_id uuid PRIMARY KEY REFERENCES orders, name text NOT NULL)",
    """
    CREATE FUNCTION order_recipient_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO order_recipient VALUES (NEW.id, recipient_name(coalesce(NEW.address ->> 'recipient', '')));
        RETURN NULL;
    END $$
    """,
    # First the trigger, which keeps new orders waiting until the names of all others are there.
    "CREATE TRIGGER order_recipient_kept AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION order_recipient_is_kept()",
    "INSERT INTO order_recipient SELECT id, recipient_name(coalesce(address ->> 'recipient', '')) FROM orders",
    "CREATE INDEX order_recipient_by_name ON order_recipient USING gin (recipient_pairs(name))",
)
BACKWARDS = (
    "DROP TRIGGER order_recipient_kept ON orders",
    "DROP FUNCTION order_recipient_is_kept",
    "DROP TABLE order_recipient",
    "DROP FUNCTION recipient_pairs",
    "DROP FUNCTION recipient_name",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="order", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def add() -> None:
        for statement in FORWARDS:
            await Raw.raw(statement)

    async def drop() -> None:
        for statement in BACKWARDS:
            await Raw.raw(statement)

    manager.add_raw(add)
    manager.add_raw_backwards(drop)
    return manager
