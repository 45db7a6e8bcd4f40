-- Gives what the superuser owns in this database to the database's own role, as whom the service works: until version 0.1 every service
-- was the superuser under `make up`. What belongs to an extension, and a sequence that follows its table, is left out.
DO $$
DECLARE
    role text := current_database();
    found record;
BEGIN
    FOR found IN
        SELECT format('SCHEMA %I', nspname) AS what FROM pg_namespace
        WHERE nspowner = current_user::regrole AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
        UNION ALL
        SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass)
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relowner = current_user::regrole AND relkind IN ('r', 'p', 'v', 'm', 'S') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('a', 'e', 'i'))
        UNION ALL
        SELECT format('ROUTINE %s', p.oid::regprocedure)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
        WHERE proowner = current_user::regrole AND nspname !~ '^pg_' AND nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
        UNION ALL
        SELECT format('TYPE %s', t.oid::regtype)
        FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
        WHERE typowner = current_user::regrole AND typtype IN ('d', 'e', 'r') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype IN ('e', 'i'))
    LOOP
        EXECUTE format('ALTER %s OWNER TO %I', found.what, role);
    END LOOP;
END
$$;
