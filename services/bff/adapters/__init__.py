"""The sources, over HTTP."""
