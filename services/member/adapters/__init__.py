"""The application's ports, made real."""
