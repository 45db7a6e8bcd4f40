from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T03:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Payments, refunds, disputes, provider calls and events, and the ledger"

STATEMENTS = (
    # A payment is named by its order. state is what follows from the rest (domain/payments.py), for lists and metrics.
    """
    CREATE TABLE payment (
        order_id uuid PRIMARY KEY,
        provider text NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        currency text NOT NULL,
        reference text NOT NULL,
        email text,
        lang text NOT NULL,
        return_url text NOT NULL,
        cancel_url text NOT NULL,
        goal text NOT NULL CHECK (goal IN ('authorise', 'capture', 'void')),
        attempt integer NOT NULL DEFAULT 1,
        session text NOT NULL,
        session_id text COLLATE "C",
        session_url text,
        intent_id text COLLATE "C",
        authorised bigint NOT NULL DEFAULT 0 CHECK (authorised >= 0),
        captured bigint NOT NULL DEFAULT 0 CHECK (captured >= 0),
        cancelled boolean NOT NULL DEFAULT false,
        state text NOT NULL,
        sequence bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        checked_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX payment_by_creation ON payment (created_at, order_id)",
    "CREATE INDEX payment_by_state ON payment (state, created_at, order_id)",
    "CREATE INDEX payment_unfinished ON payment (checked_at) "
    "WHERE state NOT IN ('captured', 'voided', 'failed', 'refunded')",
    # Every page and charge that a payment ever had: an event may name an old one.
    """
    CREATE TABLE payment_object (
        provider_id text COLLATE "C" PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES payment,
        attempt integer NOT NULL
    )
    """,
    """
    CREATE TABLE refund (
        id uuid PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES payment,
        amount bigint NOT NULL CHECK (amount > 0),
        reason text NOT NULL,
        cause text NOT NULL CHECK (cause IN ('requested', 'void', 'provider')),
        state text NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
        provider_id text COLLATE "C" UNIQUE,
        lines jsonb NOT NULL DEFAULT '[]',
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX refund_by_order ON refund (order_id, created_at, id)",
    "CREATE INDEX refund_pending ON refund (order_id) WHERE state = 'pending'",
    """
    CREATE TABLE dispute (
        provider_id text COLLATE "C" PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES payment,
        amount bigint NOT NULL,
        status text NOT NULL,
        won boolean NOT NULL
    )
    """,
    "CREATE INDEX dispute_by_order ON dispute (order_id)",
    # Written before the call is made; a new round is a new key.
    """
    CREATE TABLE provider_call (
        name text COLLATE "C" PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES payment,
        round integer NOT NULL DEFAULT 1,
        begun_at timestamptz NOT NULL,
        failed_at timestamptz
    )
    """,
    # What was heard, once each. Nothing is taken from it but that something is to be looked at.
    """
    CREATE TABLE provider_event (
        provider text NOT NULL,
        event_id text COLLATE "C" NOT NULL,
        type text NOT NULL,
        object_id text NOT NULL,
        order_id uuid,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (provider, event_id)
    )
    """,
    "CREATE INDEX provider_event_by_time ON provider_event (received_at)",
    """
    CREATE TABLE reconciliation (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        since timestamptz NOT NULL,
        until timestamptz NOT NULL,
        seen bigint NOT NULL,
        differences jsonb NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    """
    CREATE TABLE ledger_transaction (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES payment,
        movement text NOT NULL,
        provider_id text COLLATE "C" NOT NULL,
        intent_id text COLLATE "C" NOT NULL,
        currency text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE (movement, provider_id)
    )
    """,
    "CREATE INDEX ledger_transaction_by_order ON ledger_transaction (order_id, id)",
    "CREATE INDEX ledger_transaction_by_intent ON ledger_transaction (intent_id)",
    """
    CREATE TABLE ledger_entry (
        transaction_id bigint NOT NULL REFERENCES ledger_transaction,
        account text NOT NULL,
        amount bigint NOT NULL CHECK (amount <> 0),
        PRIMARY KEY (transaction_id, account)
    )
    """,
    """
    CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the ledger is append-only';
    END $$
    """,
    "CREATE TRIGGER ledger_transaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()",
    "CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()",
    # At the commit, when all entries of a transaction are there.
    """
    CREATE FUNCTION ledger_transaction_balances() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        id_ bigint;
        entries bigint;
        total numeric;
    BEGIN
        IF TG_TABLE_NAME = 'ledger_entry' THEN id_ := NEW.transaction_id; ELSE id_ := NEW.id; END IF;
        SELECT count(*), coalesce(sum(amount), 0) INTO entries, total FROM ledger_entry WHERE transaction_id = id_;
        IF entries < 2 OR total <> 0 THEN
            RAISE EXCEPTION 'ledger transaction % has % entries that sum to %', id_, entries, total
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    "CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entry "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_balances()",
    "CREATE CONSTRAINT TRIGGER ledger_transaction_balances AFTER INSERT ON ledger_transaction "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_balances()",
)

DROPS = (
    "DROP TABLE ledger_entry, ledger_transaction, reconciliation, provider_event, provider_call, dispute, refund, "
    "payment_object, payment",
    "DROP FUNCTION ledger_is_append_only, ledger_transaction_balances",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="payment", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def create() -> None:
        for statement in STATEMENTS:
            await Raw.raw(statement)

    async def drop() -> None:
        for statement in DROPS:
            await Raw.raw(statement)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
