"""Coming in and going out: register, sign in, sign out, and the choice of a language."""
