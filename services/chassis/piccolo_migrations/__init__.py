"""The schema of the chassis' own tables, in the database of every service that uses them."""
