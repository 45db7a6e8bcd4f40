from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T03:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Carts, orders with their lines and timeline, refunds, shipments, and guests' links"

_STATES = (
    "placed held paying authorised committed paid shipped delivered closing releasing refunding "
    "expired cancelled declined sold_out refunded"
)
_LISTED = ", ".join(f"'{state}'" for state in _STATES.split())

STATEMENTS = (
    # Numbers are taken and never given back: gaps are allowed.
    "CREATE SEQUENCE order_number START 100001",
    # One sequence for all carts, so that a version names one content of one cart.
    "CREATE SEQUENCE cart_version",
    """
    CREATE TABLE cart (
        id uuid PRIMARY KEY,
        owner uuid NOT NULL,
        version bigint NOT NULL DEFAULT nextval('cart_version'),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        closed_at timestamptz,
        order_id uuid
    )
    """,
    "CREATE UNIQUE INDEX cart_open_unique ON cart (owner) WHERE closed_at IS NULL",
    "CREATE INDEX cart_ordered ON cart (owner, version) WHERE order_id IS NOT NULL",
    "CREATE INDEX cart_by_change ON cart (updated_at)",
    """
    CREATE TABLE cart_item (
        cart_id uuid NOT NULL REFERENCES cart ON DELETE CASCADE,
        sku text COLLATE "C" NOT NULL,
        position integer NOT NULL,
        quantity integer NOT NULL CHECK (quantity > 0),
        seen_price bigint,
        PRIMARY KEY (cart_id, sku)
    )
    """,
    # state: what domain/transitions.py made of it. The payment_* columns are a copy of what payment said last.
    f"""
    CREATE TABLE orders (
        id uuid PRIMARY KEY,
        number bigint NOT NULL UNIQUE DEFAULT nextval('order_number'),
        owner uuid NOT NULL,
        guest boolean NOT NULL,
        email text NOT NULL,
        lang text NOT NULL,
        cart_id uuid NOT NULL UNIQUE REFERENCES cart,
        state text NOT NULL CHECK (state IN ({_LISTED})),
        reason text CHECK (reason IN ('expired', 'cancelled', 'declined', 'sold_out')),
        version integer NOT NULL DEFAULT 1,
        currency text NOT NULL,
        items bigint NOT NULL CHECK (items >= 0),
        shipping bigint NOT NULL CHECK (shipping >= 0),
        tax bigint NOT NULL,
        address jsonb NOT NULL,
        payment_state text NOT NULL DEFAULT '',
        payment_sequence bigint NOT NULL DEFAULT 0,
        authorised bigint NOT NULL DEFAULT 0,
        captured bigint NOT NULL DEFAULT 0,
        refunded bigint NOT NULL DEFAULT 0,
        refund_pending bigint NOT NULL DEFAULT 0,
        hold_until timestamptz NOT NULL,
        placed_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX orders_by_owner ON orders (owner, placed_at, id)",
    "CREATE INDEX orders_by_placement ON orders (placed_at, id)",
    "CREATE INDEX orders_by_state ON orders (state, placed_at, id)",
    "CREATE INDEX orders_by_email ON orders (email, placed_at, id)",
    "CREATE INDEX orders_unpaid ON orders (hold_until) WHERE state IN ('placed', 'held', 'paying')",
    "CREATE INDEX orders_unfinished ON orders (updated_at) "
    "WHERE state IN ('placed', 'authorised', 'committed', 'closing', 'releasing', 'refunding')",
    """
    CREATE TABLE order_line (
        order_id uuid NOT NULL REFERENCES orders,
        position integer NOT NULL,
        sku text NOT NULL,
        variant_id uuid NOT NULL,
        product_id uuid NOT NULL,
        slug text NOT NULL,
        names jsonb NOT NULL,
        option_names jsonb NOT NULL,
        image text,
        quantity integer NOT NULL CHECK (quantity > 0),
        unit_price bigint NOT NULL CHECK (unit_price >= 0),
        vat_rate integer NOT NULL,
        units bigint[] NOT NULL,
        unit_taxes bigint[] NOT NULL,
        PRIMARY KEY (order_id, position),
        CHECK (cardinality(units) = quantity AND cardinality(unit_taxes) = quantity)
    )
    """,
    # Append-only: what happened to the order, in its order. actor is an account's id, or empty for the house.
    """
    CREATE TABLE order_event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES orders,
        event text NOT NULL,
        state text NOT NULL,
        actor text NOT NULL DEFAULT '',
        note text NOT NULL DEFAULT '',
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX order_event_by_order ON order_event (order_id, id)",
    """
    CREATE FUNCTION order_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the timeline of an order is append-only';
    END $$
    """,
    "CREATE TRIGGER order_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_event "
    "FOR EACH STATEMENT EXECUTE FUNCTION order_event_is_append_only()",
    """
    CREATE TABLE shipment (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES orders,
        carrier text NOT NULL,
        tracking_number text NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX shipment_by_order ON shipment (order_id, id)",
    """
    CREATE TABLE refund (
        id uuid PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES orders,
        amount bigint NOT NULL CHECK (amount > 0),
        reason text NOT NULL,
        note text NOT NULL DEFAULT '',
        shipping boolean NOT NULL,
        state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'pending', 'done', 'failed')),
        actor text NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX refund_by_order ON refund (order_id, created_at, id)",
    "CREATE INDEX refund_unsettled ON refund (created_at) WHERE state IN ('asked', 'pending')",
    """
    CREATE TABLE refund_part (
        refund_id uuid NOT NULL REFERENCES refund,
        position integer NOT NULL,
        quantity integer NOT NULL CHECK (quantity > 0),
        amount bigint NOT NULL CHECK (amount >= 0),
        PRIMARY KEY (refund_id, position)
    )
    """,
    # One row a mail; the token is in the mail alone.
    """
    CREATE TABLE order_link (
        mail_id uuid PRIMARY KEY,
        digest bytea NOT NULL UNIQUE,
        order_id uuid NOT NULL REFERENCES orders,
        created_at timestamptz NOT NULL
    )
    """,
)

DROPS = (
    "DROP TABLE order_link, refund_part, refund, shipment, order_event, order_line, orders, cart_item, cart",
    "DROP FUNCTION order_event_is_append_only",
    "DROP SEQUENCE order_number",
    "DROP SEQUENCE cart_version",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="order", description=DESCRIPTION)

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
