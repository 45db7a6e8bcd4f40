"""`/v1`: the part of Stripe's API that the payment service uses, with its errors and its idempotency keys.

As there, an answer is saved under its key once the request was understood, a 500 as well, and is given again to each
repeat; another request under the same key is a 400.
"""

import asyncio
import hmac
import json
from collections.abc import Callable

import msgspec
from aiohttp import web

from sandbox_provider import forms
from sandbox_provider.account import Account, ApiError
from sandbox_provider.books import Books, Json, SavedAnswer
from sandbox_provider.faults import Faults

HANGS_S = 3600
MOST_ANSWERS = 100
_SERVER_ERROR = {"type": "api_error", "message": "An unknown error occurred."}


class Api:
    def __init__(self, books: Books, account: Account, faults: Faults, secret_key: str) -> None:
        self._books = books
        self._account = account
        self._faults = faults
        self._secret_key = secret_key

    def routes(self) -> list[web.RouteDef]:
        account, faults = self._account, self._faults

        def post(path: str, act: Callable[[str, Json], Json]) -> web.RouteDef:
            async def handle(request: web.Request) -> web.StreamResponse:
                return await self._change(request, act)

            return web.post(path, handle)

        def read(path: str, act: Callable[[str], Json]) -> web.RouteDef:
            async def handle(request: web.Request) -> web.StreamResponse:
                return await self._read(request, act)

            return web.get(path, handle)

        def listing(path: str, kind: str) -> web.RouteDef:
            async def handle(request: web.Request) -> web.StreamResponse:
                return await self._list(request, kind)

            return web.get(path, handle)

        return [
            post("/v1/checkout/sessions", lambda _, sent: account.create_session(sent)),
            listing("/v1/checkout/sessions", "checkout.session"),
            read("/v1/checkout/sessions/{id}", account.session),
            post("/v1/checkout/sessions/{id}/expire", lambda id_, _: account.expire_session(id_)),
            listing("/v1/payment_intents", "payment_intent"),
            read("/v1/payment_intents/{id}", account.intent),
            post("/v1/payment_intents/{id}/capture", account.capture),
            post("/v1/payment_intents/{id}/cancel", lambda id_, _: account.cancel(id_)),
            post("/v1/refunds", lambda _, sent: account.refund(sent, status=faults.refund_status)),
            listing("/v1/refunds", "refund"),
            read("/v1/refunds/{id}", lambda id_: self._found("refund", id_)),
            listing("/v1/disputes", "dispute"),
            listing("/v1/events", "event"),
            read("/v1/events/{id}", lambda id_: self._found("event", id_)),
        ]

    async def _read(self, request: web.Request, act: Callable[[str], Json]) -> web.StreamResponse:
        fault = await self._before(request)
        try:
            self._authorise(request)
            if fault in {"error", "error_after"}:
                return web.json_response({"error": _SERVER_ERROR}, status=500)
            body = act(request.match_info["id"])
            sent = forms.read(request.query_string)
            answer = _json(self._account.expanded(body, forms.values(sent, "expand")))
        except ApiError as refusal:
            answer = _refused(refusal)
        return _cut(request) if fault == "lost_answer" else answer

    async def _list(self, request: web.Request, kind: str) -> web.StreamResponse:
        await self._before(request)
        try:
            self._authorise(request)
            sent = forms.read(request.query_string)
            created = sent.get("created") or {}
            limit = min(int(sent.get("limit", 10)), MOST_ANSWERS)
            found = self._books.newest(
                kind,
                limit=limit + 1,
                after=sent.get("starting_after"),
                since=max(int(created.get("gte", 0)), int(created.get("gt", -1)) + 1),
                until=min(int(created.get("lte", 2**40)), int(created.get("lt", 2**40)) - 1),
                intent=sent.get("payment_intent"),
            )
        except ApiError as refusal:
            return _refused(refusal)
        except ValueError:
            return _refused(ApiError(400, "invalid_request_error", "A parameter is not valid."))
        expand = [name.removeprefix("data.") for name in forms.values(sent, "expand")]
        return _json(
            {
                "object": "list",
                "url": request.path,
                "has_more": len(found) > limit,
                "data": [self._account.expanded(body, expand) for body in found[:limit]],
            }
        )

    async def _change(self, request: web.Request, act: Callable[[str, Json], Json]) -> web.StreamResponse:
        text = await request.text()
        fault = await self._before(request)
        try:
            self._authorise(request)
            status, body = self._once(request, text, act, fault)
        except ApiError as refusal:
            return _refused(refusal)
        if fault == "lost_answer":
            return _cut(request)
        return web.Response(text=body, status=status, content_type="application/json")

    def _once(
        self, request: web.Request, text: str, act: Callable[[str, Json], Json], fault: str | None
    ) -> tuple[int, str]:
        """The answer, saved under the request's key in the transaction of what was done. Raises ApiError."""
        key = request.headers.get("Idempotency-Key", "")
        described = f"{request.method} {request.path} {text}"
        saved = self._books.answered(key) if key else None
        if saved is not None:
            if saved.request != described:
                raise ApiError(400, "idempotency_error", "The key was used for another request.")
            return saved.status, saved.body
        try:
            sent = forms.read(text)
        except ValueError:
            raise ApiError(400, "invalid_request_error", "The body is not a form.") from None
        with self._books.transaction():
            status, body = 500, json.dumps({"error": _SERVER_ERROR})
            if fault != "error":
                try:
                    done = self._account.expanded(
                        act(request.match_info.get("id", ""), sent), forms.values(sent, "expand")
                    )
                except ApiError as refusal:
                    status, body = refusal.status, json.dumps({"error": refusal.error})
                else:
                    if fault != "error_after":
                        status, body = 200, msgspec.json.encode(done).decode()
            if key:
                self._books.keep_answer(key, SavedAnswer(described, status, body))
        return status, body

    async def _before(self, request: web.Request) -> str | None:
        """The fault that this request meets. Raises what ends it without an answer of the API."""
        if self._faults.outage:
            _cut(request)
            raise ConnectionResetError
        fault = self._faults.taken(request.method, request.path)
        if fault == "hang":
            await asyncio.sleep(HANGS_S)
        if fault == "unavailable":
            raise web.HTTPServiceUnavailable(
                text=json.dumps({"error": _SERVER_ERROR}), content_type="application/json"
            )
        return fault

    def _authorise(self, request: web.Request) -> None:
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {self._secret_key}".encode()):
            raise ApiError(401, "invalid_request_error", "Invalid API Key provided")

    def _found(self, kind: str, id_: str) -> Json:
        found = self._books.get(kind, id_)
        if found is None:
            raise ApiError(404, "invalid_request_error", f"No such {kind}: '{id_}'", "resource_missing")
        return found


def _json(body: Json) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


def _refused(refusal: ApiError) -> web.Response:
    return web.json_response({"error": refusal.error}, status=refusal.status)


def _cut(request: web.Request) -> web.Response:
    """Ends the connection: the caller never hears what came of it."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
