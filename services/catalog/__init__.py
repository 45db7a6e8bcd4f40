"""The catalog: what the shop sells, for how much, and how many there are."""
