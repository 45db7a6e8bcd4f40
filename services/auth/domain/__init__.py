"""What auth decides. Pure: no framework, no driver, no clock, no randomness of its own."""
