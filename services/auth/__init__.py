"""auth: accounts, credentials, sessions and the keys that sign access tokens."""
