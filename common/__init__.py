"""Rules that must be equal in every part: each lives here once, below plugins, services and the front end."""
