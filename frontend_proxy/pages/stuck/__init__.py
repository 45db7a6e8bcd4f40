"""What the services could not deliver to each other: a list for the shopkeeper, and trying again."""
