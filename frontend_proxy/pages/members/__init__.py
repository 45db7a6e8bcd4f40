"""Members, for administrators: find, make, edit, delete."""
