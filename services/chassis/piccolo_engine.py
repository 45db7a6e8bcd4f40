"""Where Piccolo's migrations find their engine: it asks a module by name for `DB`, and the start sets it."""

from piccolo.engine.postgres import PostgresEngine

DB: PostgresEngine | None = None
