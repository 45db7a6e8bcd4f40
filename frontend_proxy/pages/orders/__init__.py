"""Orders: one with its timeline, all of them, and the way to the payment page."""
