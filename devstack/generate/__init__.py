"""Writes what follows from gatehouse.toml into the files of this checkout, between lines that say so."""
