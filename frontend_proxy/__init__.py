"""The only part that faces the internet: web pages, and cookies turned into Bearer tokens for the gateway."""
