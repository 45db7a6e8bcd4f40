"""auth over HTTP: bodies, statuses and nothing that decides."""
