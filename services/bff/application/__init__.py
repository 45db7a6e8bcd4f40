"""What each screen consists of."""
