"""What all of the shopkeeper's pages have in common: their menu, and their first page."""
