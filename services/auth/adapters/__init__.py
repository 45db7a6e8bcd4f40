"""Where auth meets PostgreSQL, Redis, argon2, SMTP and the signing library."""
