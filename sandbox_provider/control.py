"""`/_control`: what tests and people tell the sandbox to do, as JSON. No key: it is for this machine alone.

PUT  /_control/card      {"does": "decline" | "authenticate" | ""}      whatever card is used
POST /_control/faults    {"kind": see faults.KINDS, "method": "POST", "path": "/v1/refunds", "times": 1}
PUT  /_control/outage    {"on": true}                                   API connections are cut
PUT  /_control/webhooks  {"delay": 0, "copies": 1, "shuffle": false, "drop": false}
PUT  /_control/refunds   {"status": "succeeded" | "pending"}            what a new refund is
POST /_control/refunds/ID {"status": "succeeded" | "failed"}            what became of a pending one
POST /_control/disputes  {"payment_intent": ID, "amount": 1000}; POST /_control/disputes/ID {"status": "won" | "lost"}
POST /_control/intents/ID/expire                                        the promised money is given up
POST /_control/forget-keys                                              as after a day
POST /_control/reset                                                    healthy again; books stay
GET  /_control/books                                                    what was charged and given back, and what waits
"""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox_provider.account import Account, ApiError
from sandbox_provider.books import Books, Json
from sandbox_provider.faults import KINDS, ApiFault, Faults, WebhookFaults

EVERYTHING = 1_000_000


class Control:
    def __init__(self, books: Books, account: Account, faults: Faults) -> None:
        self._books = books
        self._account = account
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/_control/card", self.card),
            web.post("/_control/faults", self.fault),
            web.put("/_control/outage", self.outage),
            web.put("/_control/webhooks", self.webhooks),
            web.put("/_control/refunds", self.refunds),
            web.post("/_control/refunds/{id}", self.settle_refund),
            web.post("/_control/disputes", self.dispute),
            web.post("/_control/disputes/{id}", self.close_dispute),
            web.post("/_control/intents/{id}/expire", self.expire_intent),
            web.post("/_control/forget-keys", self.forget_keys),
            web.post("/_control/reset", self.reset),
            web.get("/_control/books", self.books),
        ]

    async def card(self, request: web.Request) -> web.Response:
        self._faults.card = str((await _sent(request)).get("does", ""))
        return self._state()

    async def fault(self, request: web.Request) -> web.Response:
        sent = await _sent(request)
        if sent.get("kind") not in KINDS:
            raise web.HTTPBadRequest(text=f"kind is one of {', '.join(KINDS)}")
        self._faults.api.append(
            ApiFault(
                sent["kind"],
                str(sent.get("method", "POST")),
                str(sent.get("path", "/v1/")),
                int(sent.get("times", 1)),
            )
        )
        return self._state()

    async def outage(self, request: web.Request) -> web.Response:
        self._faults.outage = (await _sent(request)).get("on") is True
        return self._state()

    async def webhooks(self, request: web.Request) -> web.Response:
        faults = WebhookFaults(**await _sent(request))
        # The same object: deliveries look at it.
        vars(self._faults.webhooks).update(asdict(faults))
        return self._state()

    async def refunds(self, request: web.Request) -> web.Response:
        self._faults.refund_status = str((await _sent(request))["status"])
        return self._state()

    async def settle_refund(self, request: web.Request) -> web.Response:
        sent = await _sent(request)
        return self._done(lambda: self._account.settle_refund(request.match_info["id"], str(sent["status"])))

    async def dispute(self, request: web.Request) -> web.Response:
        sent = await _sent(request)
        return self._done(lambda: self._account.dispute(str(sent["payment_intent"]), sent.get("amount")))

    async def close_dispute(self, request: web.Request) -> web.Response:
        sent = await _sent(request)
        return self._done(lambda: self._account.close_dispute(request.match_info["id"], str(sent["status"])))

    async def expire_intent(self, request: web.Request) -> web.Response:
        return self._done(lambda: self._account.cancel(request.match_info["id"], "automatic"))

    async def forget_keys(self, _: web.Request) -> web.Response:
        with self._books.transaction():
            self._books.forget_answers()
        return self._state()

    async def reset(self, _: web.Request) -> web.Response:
        healthy = Faults()
        vars(self._faults.webhooks).update(asdict(healthy.webhooks))
        self._faults.api.clear()
        self._faults.card, self._faults.outage = healthy.card, healthy.outage
        self._faults.refund_status = healthy.refund_status
        return self._state()

    async def books(self, _: web.Request) -> web.Response:
        """Every intent with what was collected and given back, for audits."""
        intents = [
            self._account.expanded(intent, ["latest_charge"]) for intent in self._all("payment_intent")
        ]
        return web.json_response(
            {
                "intents": [
                    {
                        "id": intent["id"],
                        "status": intent["status"],
                        "currency": intent["currency"],
                        "metadata": intent["metadata"],
                        "capturable": intent["amount_capturable"],
                        "captured": intent["amount_received"],
                        "refunded": (intent["latest_charge"] or {}).get("amount_refunded", 0),
                    }
                    for intent in intents
                ],
                "open_sessions": [
                    session["id"] for session in self._all("checkout.session") if session["status"] == "open"
                ],
                "webhooks_waiting": self._books.waiting(),
            }
        )

    def _all(self, kind: str) -> list[Json]:
        return self._books.newest(kind, limit=EVERYTHING, after=None, since=0, until=2**40, intent=None)

    def _done(self, act: Any) -> web.Response:
        try:
            with self._books.transaction():
                return web.json_response(act())
        except ApiError as refusal:
            return web.json_response({"error": refusal.error}, status=refusal.status)

    def _state(self) -> web.Response:
        return web.json_response(asdict(self._faults))


async def _sent(request: web.Request) -> dict[str, Any]:
    try:
        sent = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text="JSON is needed") from None
    if not isinstance(sent, dict):
        raise web.HTTPBadRequest(text="a JSON object is needed")
    return sent
