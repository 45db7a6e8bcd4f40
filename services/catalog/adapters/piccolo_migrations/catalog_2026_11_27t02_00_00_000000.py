from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T02:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Categories, products, variants, pictures, stock with its journal, and reservations"

STATEMENTS = (
    # COLLATE "C": sorted by code point, so that one index serves sorting, pages and equality.
    """
    CREATE TABLE category (
        id uuid PRIMARY KEY,
        parent_id uuid REFERENCES category,
        slug text COLLATE "C" NOT NULL,
        position integer NOT NULL DEFAULT 0,
        names jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        deleted_at timestamptz,
        version integer NOT NULL DEFAULT 1,
        CHECK (parent_id <> id)
    )
    """,
    "CREATE UNIQUE INDEX category_slug_unique ON category (slug) WHERE deleted_at IS NULL",
    "CREATE INDEX category_by_parent ON category (parent_id)",
    # price and compare_at_price are those of the cheapest variant, for lists and price bands; search_* are texts in
    # normal form.
    """
    CREATE TABLE product (
        id uuid PRIMARY KEY,
        category_id uuid NOT NULL REFERENCES category,
        slug text COLLATE "C" NOT NULL,
        brand text NOT NULL DEFAULT '',
        status text NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
        names jsonb NOT NULL,
        descriptions jsonb NOT NULL DEFAULT jsonb_build_object(),
        keywords text[] NOT NULL DEFAULT ARRAY[]::text[],
        options jsonb NOT NULL DEFAULT '[]',
        price bigint NOT NULL CHECK (price >= 0),
        compare_at_price bigint,
        search_name text NOT NULL DEFAULT '',
        search_brand text NOT NULL DEFAULT '',
        search_keywords text NOT NULL DEFAULT '',
        search_text text NOT NULL DEFAULT '',
        grams text[] NOT NULL DEFAULT ARRAY[]::text[],
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        deleted_at timestamptz,
        version integer NOT NULL DEFAULT 1
    )
    """,
    "CREATE UNIQUE INDEX product_slug_unique ON product (slug) WHERE deleted_at IS NULL",
    # Without a pending list: a shop reads a thousand times for each change, and every search would read the list.
    "CREATE INDEX product_by_grams ON product USING gin (grams) WITH (fastupdate = off) WHERE deleted_at IS NULL",
    "CREATE INDEX product_by_creation_any_status ON product (created_at, id) WHERE deleted_at IS NULL",
    "CREATE INDEX product_by_creation ON product (created_at, id) WHERE deleted_at IS NULL AND status = 'active'",
    "CREATE INDEX product_by_price ON product (price, id) WHERE deleted_at IS NULL AND status = 'active'",
    "CREATE INDEX product_by_category_and_creation ON product (category_id, created_at, id) "
    "WHERE deleted_at IS NULL AND status = 'active'",
    "CREATE INDEX product_by_category_and_price ON product (category_id, price, id) "
    "WHERE deleted_at IS NULL AND status = 'active'",
    """
    CREATE TABLE variant (
        id uuid PRIMARY KEY,
        product_id uuid NOT NULL REFERENCES product,
        sku text COLLATE "C" NOT NULL,
        option_values text[] NOT NULL DEFAULT ARRAY[]::text[],
        price bigint NOT NULL CHECK (price >= 0),
        compare_at_price bigint CHECK (compare_at_price > price),
        vat_class text NOT NULL DEFAULT 'standard',
        weight_grams integer CHECK (weight_grams > 0),
        position integer NOT NULL DEFAULT 0,
        deleted_at timestamptz
    )
    """,
    # A deleted SKU frees its name.
    "CREATE UNIQUE INDEX variant_sku_unique ON variant (sku) WHERE deleted_at IS NULL",
    "CREATE INDEX variant_by_product ON variant (product_id, position, id) WHERE deleted_at IS NULL",
    # One picture in its widths, named by its content; several products may show it.
    """
    CREATE TABLE picture (
        hash text COLLATE "C" PRIMARY KEY,
        width integer NOT NULL,
        height integer NOT NULL,
        widths integer[] NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE product_image (
        product_id uuid NOT NULL REFERENCES product,
        position integer NOT NULL,
        hash text COLLATE "C" NOT NULL REFERENCES picture,
        alt jsonb NOT NULL DEFAULT jsonb_build_object(),
        PRIMARY KEY (product_id, position)
    )
    """,
    "CREATE INDEX product_image_by_hash ON product_image (hash)",
    # The last word on overselling, whatever the code above it does.
    """
    CREATE TABLE stock (
        variant_id uuid PRIMARY KEY REFERENCES variant,
        on_hand bigint NOT NULL DEFAULT 0,
        reserved bigint NOT NULL DEFAULT 0,
        available bigint GENERATED ALWAYS AS (on_hand - reserved) STORED,
        CONSTRAINT stock_reserved_within_on_hand CHECK (reserved BETWEEN 0 AND on_hand)
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE reservation (
        order_id uuid PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('held', 'committed', 'released', 'sold_out')),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    # No reference to variant: an order may name one that never was; it is sold out.
    """
    CREATE TABLE reservation_line (
        order_id uuid NOT NULL REFERENCES reservation,
        variant_id uuid NOT NULL,
        quantity bigint NOT NULL CHECK (quantity > 0),
        PRIMARY KEY (order_id, variant_id)
    )
    """,
    "CREATE INDEX reservation_held ON reservation (created_at) WHERE state = 'held'",
    # Append-only: who changed what is on hand, why, and by how much.
    """
    CREATE TABLE stock_journal (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        variant_id uuid NOT NULL REFERENCES variant,
        change bigint NOT NULL CHECK (change <> 0),
        on_hand bigint NOT NULL,
        reason text NOT NULL,
        note text NOT NULL DEFAULT '',
        actor text NOT NULL,
        order_id uuid,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX stock_journal_by_variant ON stock_journal (variant_id, id)",
    """
    CREATE FUNCTION stock_journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the stock journal is append-only';
    END $$
    """,
    "CREATE TRIGGER stock_journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_journal "
    "FOR EACH STATEMENT EXECUTE FUNCTION stock_journal_is_append_only()",
)

DROPS = (
    "DROP TABLE stock_journal, reservation_line, reservation, stock, product_image, picture, variant, product, category",
    "DROP FUNCTION stock_journal_is_append_only",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="catalog", description=DESCRIPTION)

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
