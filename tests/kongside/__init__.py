"""A plugin server process and Kong's side of its socket, for tests: docs/writing-a-plugin.md shows its use."""
