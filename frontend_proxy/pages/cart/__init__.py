"""The cart of a member or a guest."""
