"""The shop's shelves: lists of products, and a product's page."""
