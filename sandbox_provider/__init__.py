"""The sandbox provider: a payment provider for development and tests. Never for production; no card is ever charged.

It speaks the part of Stripe's public API that the payment service uses (https://docs.stripe.com/api), so that the
official client works against it: checkout sessions, payment intents with manual capture, refunds, disputes and events,
idempotency keys with saved answers, signed webhooks that are retried, and a hosted page that takes Stripe's public test
cards and needs no JavaScript. Its books are one SQLite file with durable writes: what it has answered survives a kill.

    books.py       the file: objects, events, saved answers, deliveries; one transaction a request
    account.py     what happens to sessions, intents and refunds: the provider's rules
    api.py         /v1, form-encoded, with errors, keys and the faults that were asked for
    page.py        /pay/SESSION, in Korean and English
    webhooks.py    signs events and delivers them until they are taken
    control.py     /_control: declines, authentication, delays, doubles, losses, errors, hangs, outages, disputes
"""
