"""Members: who our customers are, beside the accounts that they sign in with."""
