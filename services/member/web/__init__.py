"""The member API over HTTP."""
