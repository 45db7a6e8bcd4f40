"""The shopkeeper's stock: what runs out, what changed it, and what a person corrects of it."""
