"""Home: what the member's screen service has to show, or the front door for who is not signed in."""
