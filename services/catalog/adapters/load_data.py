"""Many products, made by the database itself, for measuring: `python -m services.catalog seed-load 50000`.

The words are of two kinds: a few that thousands of products have, and one in each that few others have. Texts are made
in normal form already, as domain/search.py would make them.
"""

from services.chassis.postgres import Database

_CATEGORIES = 40


async def load(database: Database, count: int) -> int:
    """Adds `count` products with two variants each; repeating adds only those that are missing.

    Returns how many were added.
    """
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(_MORE_CATEGORIES, _CATEGORIES, timeout=600)
        added: int = await connection.fetchval(_MORE_PRODUCTS, count, _CATEGORIES, timeout=1800)
        await connection.execute(_MORE_VARIANTS, count, timeout=1800)
        await connection.execute(_MORE_STOCK, count, timeout=1800)
    for table in ("category", "product", "variant", "stock", "stock_journal"):
        # As autovacuum would do soon: counts are read from indexes alone where rows are known to be visible.
        await database.fetch(f"VACUUM ANALYZE {table}")
    return added


_MORE_CATEGORIES = """
    INSERT INTO category (id, parent_id, slug, position, names, created_at, updated_at)
    SELECT md5('load category ' || n)::uuid, CASE WHEN n > 4 THEN md5('load category ' || 1 + n % 4)::uuid END,
        'load-category-' || n, 100 + n, jsonb_build_object('ko', '분류 ' || n, 'en', 'Category ' || n), at, at
    FROM (SELECT n, timestamptz '2026-01-01Z' AS at FROM generate_series(1, $1) AS n ORDER BY n) AS numbered
    ON CONFLICT DO NOTHING
"""
_MORE_PRODUCTS = """
    WITH numbered AS (
        SELECT n, timestamptz '2026-01-01Z' + n * interval '1 minute' AS at,
            (ARRAY['운동화', '가방', '셔츠', '바지', '모자', '시계', '의자', '조명', '컵', '이불'])[1 + n % 10] AS kind,
            (ARRAY['검정', '하양', '파랑', '빨강', '초록', '회색', '갈색'])[1 + n % 7] AS colour,
            (ARRAY['아틀리에', '한강', '북촌', '서촌', '성수'])[1 + n % 5] AS brand,
            chr(44032 + (n::bigint * 7919 % 11172)::int) || chr(44032 + (n::bigint * 104729 % 11172)::int)
                || chr(44032 + (n::bigint * 1299709 % 11172)::int)
                AS own
        FROM generate_series(1, $1::int) AS n
    ), texts AS (
        SELECT *, format('%s %s %s', colour, kind, own) AS ko, format('load item %s', lpad(n::text, 6, '0')) AS en,
            format('%s에서 만든 %s 매일 쓰기 좋은 %s', brand, kind, colour) AS text
        FROM numbered
    ), made AS (
        INSERT INTO product (id, category_id, slug, brand, status, names, descriptions, keywords, options, price,
            search_name, search_brand, search_keywords, search_text, grams, created_at, updated_at)
        SELECT md5('load product ' || n)::uuid, md5('load category ' || 1 + n % $2::int)::uuid, 'load-' || n, brand,
            CASE WHEN n % 50 = 0 THEN 'draft' ELSE 'active' END, jsonb_build_object('ko', ko, 'en', en),
            jsonb_build_object('ko', text), ARRAY[kind],
            '[{"code": "size", "names": {"ko": "크기", "en": "Size"}, "values": [
                {"code": "s", "names": {"ko": "작은", "en": "Small"}},
                {"code": "l", "names": {"ko": "큰", "en": "Large"}}]}]'::jsonb,
            1000 + n::bigint * 7919 % 300000, ko || ' ' || en, brand, kind, text,
            (SELECT array_agg(DISTINCT gram) FROM (
                SELECT substr(word, i, length) AS gram FROM regexp_split_to_table(
                    concat_ws(' ', ko, en, brand, kind, text), ' ') AS word,
                    generate_series(1, 2) AS length, generate_series(1, char_length(word) - length + 1) AS i
            ) AS cut), at, at
        FROM texts
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM made
"""
_MORE_VARIANTS = """
    INSERT INTO variant (id, product_id, sku, option_values, price, position)
    SELECT md5(format('load variant %s %s', n, size))::uuid, md5('load product ' || n)::uuid,
        format('LOAD-%s-%s', lpad(n::text, 6, '0'), upper(size)), ARRAY[size], 1000 + n::bigint * 7919 % 300000,
        CASE size WHEN 's' THEN 0 ELSE 1 END
    FROM generate_series(1, $1::int) AS n, unnest(ARRAY['s', 'l']) AS size
    ON CONFLICT DO NOTHING
"""
_MORE_STOCK = """
    WITH made AS (
        INSERT INTO stock (variant_id, on_hand)
        SELECT md5(format('load variant %s %s', n, size))::uuid, CASE WHEN n % 9 = 0 THEN 0 ELSE 100000 END
        FROM generate_series(1, $1::int) AS n, unnest(ARRAY['s', 'l']) AS size
        ON CONFLICT DO NOTHING RETURNING variant_id, on_hand
    )
    INSERT INTO stock_journal (variant_id, change, on_hand, reason, actor, at)
    SELECT variant_id, on_hand, on_hand, 'delivery', 'seed-load', timestamptz '2026-01-01Z' FROM made WHERE on_hand > 0
"""
