"""What order, payment and member say in the tests of the shopkeeper's pages."""

from typing import Any

ID = "7f3b8a52-6c1e-4f0e-9a54-3a1f0a1b2c3d"
OWNER, ADMIN = "11111111-6c1e-4f0e-9a54-3a1f0a1b2c3d", "22222222-6c1e-4f0e-9a54-3a1f0a1b2c3d"
KEY = "11111111-2222-4333-8444-555555555555"
AT = "2026-03-01T09:00:00Z"
LINE: dict[str, Any] = {
    "position": 1,
    "sku": "SOCKS",
    "variant_id": ID,
    "product_id": ID,
    "slug": "socks",
    "name": {"ko": "양말", "en": "Socks"},
    "option_names": {},
    "image": None,
    "quantity": 3,
    "unit_price": 3333,
    "vat_rate": 1000,
    "total": 9999,
    "tax": 909,
}
ORDER: dict[str, Any] = {
    "id": ID,
    "number": "100023",
    "state": "paid",
    "reason": None,
    "version": 7,
    "currency": "KRW",
    "items": 9999,
    "shipping": 3000,
    "tax": 1182,
    "total": 12999,
    "email": "minji@example.com",
    "guest": False,
    "owner": OWNER,
    "address": {
        "recipient": "Minji",
        "phone": "+821012345678",
        "line1": "Sejong-daero 110",
        "line2": "",
        "city": "Seoul",
        "postal_code": "04524",
        "country": "KR",
    },
    "lines": [LINE],
    "payment": {
        "state": "captured",
        "authorised": 12999,
        "captured": 12999,
        "refunded": 1000,
        "refund_pending": 0,
    },
    "actions": ["cancel", "ship", "refund"],
    "hold_until": AT,
    "placed_at": AT,
    "updated_at": AT,
}
TIMELINE: dict[str, Any] = {
    "events": [
        {"at": AT, "event": "placed", "state": "placed", "actor": "", "note": ""},
        {"at": AT, "event": "refund_requested", "state": "paid", "actor": ADMIN, "note": "1000 KRW"},
    ],
    "shipments": [],
    "refunds": [
        {
            "id": ID,
            "amount": 1000,
            "state": "done",
            "reason": "goodwill",
            "lines": [],
            "shipping": False,
            "created_at": AT,
            "note": "a scratch",
            "actor": ADMIN,
        }
    ],
}
PAYMENT: dict[str, Any] = {
    "provider": "stripe",
    "provider_payment": "pi_123",
    "state": "captured",
    "disputes": [],
    "refunds": [],
    "ledger": [],
}
ANSWERS: dict[str, Any] = {
    f"GET /api/orders/{ID}": ORDER,
    f"GET /api/orders/{ID}/events": TIMELINE,
    f"GET /api/payments/{ID}": PAYMENT,
    f"GET /api/members/{ADMIN}": {"name": "Kim the keeper"},
}
