"""The screens over HTTP."""
