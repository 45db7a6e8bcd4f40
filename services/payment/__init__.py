"""Payments, refunds and the ledger: what was asked of the provider, and what it says has happened."""
