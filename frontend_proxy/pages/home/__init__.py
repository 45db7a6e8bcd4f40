"""The first page: the home screen of bff, or a welcome page without a session."""
