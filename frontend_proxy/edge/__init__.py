"""The first code that sees a request: it admits or refuses it, and bounds what the client may cost."""
