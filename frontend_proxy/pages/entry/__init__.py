"""Register, sign in, sign out, and choose a language."""
