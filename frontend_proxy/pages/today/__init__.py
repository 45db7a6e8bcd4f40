"""The shopkeeper's first page."""
