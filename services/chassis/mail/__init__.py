"""Mails: written as messages of the outbox with the change that they tell of, sent until a mail server takes them."""
