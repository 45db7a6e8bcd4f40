"""The shop's books against the provider's list, for the shopkeeper."""
