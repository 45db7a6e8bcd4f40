"""Shoppers with a basket each: they place, pay, cancel, come back, click twice, and never give up before an answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp

from tests.e2e.money.plan import ASKS, DECLINED, GOOD, Ending, Kind, Shopper, Trip, Twice
from tests.e2e.money.visits import Answer, Browser, Diary, Lost
from tests.e2e.stack import Stack

PASSWORD = "a long and private sentence"
SESSION = 200.0
"""Seconds after which a session is opened anew; an access token lives for 600."""
LOOK_EVERY = 0.25
EXPIRY_LOOKS_EVERY = 5.0
UNTIL_PAID = 60.0
ADDRESS = {
    "recipient": "김하늘",
    "phone": "+82 10-1234-5678",
    "line1": "세종대로 110",
    "city": "서울",
    "postal_code": "04524",
    "country": "KR",
}
OVER = frozenset(("expired", "cancelled", "declined", "sold_out", "refunded"))
CLOSING = frozenset(("closing", "releasing", "refunding"))
UNPAID = frozenset(("placed", "held", "paying"))


class Walk:
    """One shopper's way through the storm. `expire` ends an order's time; `admin` gives an administrator's headers."""

    def __init__(
        self,
        stack: Stack,
        shopper: Shopper,
        seed: int,
        skus: Sequence[str],
        diary: Diary,
        *,
        round_begins: Callable[[int], Awaitable[object]],
        expire: Callable[[str], Awaitable[None]],
        admin: Callable[[], Awaitable[dict[str, str]]],
    ) -> None:
        self._stack = stack
        self._shopper = shopper
        self._name = f"storm-{seed}"
        self._skus = skus
        self._diary = diary
        self._round_begins = round_begins
        self._expire = expire
        self._admin = admin
        self._chance = random.Random(f"{seed} {shopper.number}")
        self._since = float("-inf")

    async def go(self) -> None:
        jar = aiohttp.CookieJar(unsafe=True)  # addresses are numbers here
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            by_front = self._shopper.kind is Kind.BROWSER
            base = self._stack.frontend_url if by_front else self._stack.gateway_url
            self._browser = Browser(http, base, self._diary, self._chance)
            for trip in self._shopper.trips:
                await self._round_begins(trip.round)
                try:
                    end = await self._trip(trip)
                except Lost as lost:
                    self._wrong(trip, f"no answer: {lost}")
                    end = "lost"
                self._diary.ends[end] += 1

    # ----- Who

    async def _sign_in(self) -> None:
        if time.monotonic() - self._since < SESSION:
            return
        browser, kind = self._browser, self._shopper.kind
        if kind is Kind.GUEST:
            answer = await browser.call("POST", f"{self._stack.auth_url}/api/auth/guest")
        else:
            person = {"email": f"{self._name}-{self._shopper.number}@example.com", "password": PASSWORD}
            if self._since < 0:
                await browser.call(
                    "POST", f"{self._stack.auth_url}/api/auth/register", {**person, "name": "Storm"}
                )
            base = self._stack.frontend_url if kind is Kind.BROWSER else self._stack.auth_url
            answer = await browser.call("POST", f"{base}/api/auth/login", person)
        if answer.status != 200:
            raise Lost(f"signing in: {answer.status} {answer.body.decode()}")
        if kind is not Kind.BROWSER:
            browser.headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        self._since = time.monotonic()

    # ----- A trip

    async def _trip(self, trip: Trip) -> str:
        await self._sign_in()
        cart = await self._filled(trip)
        for attempt in range(3):
            if not cart["lines"]:
                return "nothing left to order"
            order = await self._placed(trip, cart, attempt)
            if isinstance(order, str):
                return await self._end(trip, order)
            cart = await self._without_what_is_gone(order)
        return "the cart went on changing"

    async def _filled(self, trip: Trip) -> dict[str, Any]:
        """The cart with this trip's basket alone."""
        browser = self._browser
        cart = await self._cart()
        wanted = {self._skus[product]: units for product, units in trip.basket}
        for line in [*cart["lines"], *cart["unavailable"]]:
            if line["sku"] not in wanted:
                await browser.call("DELETE", f"/api/cart/items/{line['sku']}")
        for sku, units in wanted.items():
            answer = await browser.call("PUT", f"/api/cart/items/{sku}", {"quantity": units})
            if answer.status != 200:
                self._wrong(trip, f"the cart: {answer.status} {answer.body.decode()}")
        return await self._without_what_is_gone(await self._cart())

    async def _without_what_is_gone(self, cart: dict[str, Any]) -> dict[str, Any]:
        for line in cart["unavailable"]:
            await self._browser.call(
                "DELETE", f"/api/cart/items/{line['sku']}"
            )  # 404 where it was heard before
        return await self._cart() if cart["unavailable"] else cart

    async def _cart(self) -> dict[str, Any]:
        answer = await self._browser.call("GET", "/api/cart")
        if answer.status != 200:
            raise Lost(f"the cart: {answer.status} {answer.body.decode()}")
        cart: dict[str, Any] = answer.json
        return cart

    async def _placed(self, trip: Trip, cart: dict[str, Any], attempt: int) -> str | dict[str, Any]:
        """The order's id, or the cart as it is now."""
        body = {
            "cart_version": cart["version"],
            "expected_total": cart["total"],
            "address": ADDRESS,
            "email": email_of(self._name, trip.number),
            "lang": "en",
        }
        key = f"{self._name}-{trip.number}-{attempt}"
        keys = {
            Twice.ONCE: (key,),
            Twice.BACK: (key,),
            Twice.DOUBLE_CLICK: (key, key),
            Twice.TWO_TABS: (key, f"{key}-tab"),
        }[trip.twice]
        answers = await asyncio.gather(*(self._place(body, each) for each in keys))
        found = {order for answer in answers if (order := self._order_in(answer))}
        if trip.twice is Twice.BACK and found:
            back = self._order_in(await self._place(body, f"{key}-back"))
            found |= {back} if back else set()
        if len(found) > 1:
            self._wrong(trip, f"one cart, {len(found)} orders")
        if found:
            return found.pop()
        for answer in answers:
            if answer.problem == "/problems/cart-changed":
                shown: dict[str, Any] = answer.json["cart"]
                return shown
        # What was given up earlier may have placed it: then the cart is another, and empty.
        said = "; ".join(f"{answer.status} {answer.body.decode()}" for answer in answers)
        self._wrong(trip, f"placing: {said}")
        return {"lines": [], "unavailable": []}

    async def _place(self, body: dict[str, Any], key: str) -> Answer:
        answer = await self._browser.call("POST", "/api/orders", body, key=key)
        if answer.status == 201:
            self._diary.acknowledged.setdefault(key, set()).add(answer.body)
        return answer

    @staticmethod
    def _order_in(answer: Answer) -> str | None:
        if answer.status == 201:
            return str(answer.json["id"])
        return str(answer.json["order_id"]) if answer.problem == "/problems/cart-ordered" else None

    async def _end(self, trip: Trip, order: str) -> str:
        state = await self._until(order, lambda state: state != "placed")
        if state == "held":
            state = await _ENDINGS[trip.ending](self, trip, order)
        return f"{trip.ending.value}: {state}"

    # ----- What becomes of an order

    async def pay(self, trip: Trip, order: str) -> str:
        await self._card(order, GOOD)
        return await self._settled(order)

    async def pay_in_two_tabs(self, trip: Trip, order: str) -> str:
        await asyncio.gather(self._card(order, GOOD), self._card(order, GOOD))
        return await self._settled(order)

    async def asked_first(self, trip: Trip, order: str) -> str:
        await self._card(order, ASKS)
        return await self._settled(order)

    async def bad_card_first(self, trip: Trip, order: str) -> str:
        await self._card(order, DECLINED)
        await self._card(order, GOOD)
        return await self._settled(order)

    async def bad_card(self, trip: Trip, order: str) -> str:
        await self._card(order, DECLINED)
        await self._cancel(order)
        return await self._settled(order)

    async def walk_away(self, trip: Trip, order: str) -> str:
        await self._page(order)
        return "unpaid"

    async def cancel_unpaid(self, trip: Trip, order: str) -> str:
        await self._cancel(order)
        return await self._settled(order)

    async def cancel_while_paying(self, trip: Trip, order: str) -> str:
        await asyncio.gather(self._card(order, GOOD), self._later(self._cancel(order)))
        return await self._settled(order)

    async def expire_while_paying(self, trip: Trip, order: str) -> str:
        await self._page(order)
        await self._expire(order)
        await asyncio.sleep(self._chance.uniform(0, EXPIRY_LOOKS_EVERY))
        await self._card(order, GOOD)
        return await self._settled(order)

    async def cancel_paid(self, trip: Trip, order: str) -> str:
        await self.pay(trip, order)
        await self._cancel(order)
        return await self._settled(order)

    async def refund_part(self, trip: Trip, order: str) -> str:
        state = await self.pay(trip, order)
        if state == "paid":
            await self._refund(trip, order, "1", {"lines": [{"line": 1, "quantity": 1}]})
        return state

    async def refund_twice(self, trip: Trip, order: str) -> str:
        state = await self.pay(trip, order)
        if state == "paid":
            await asyncio.gather(
                self._refund(trip, order, "1", {"amount": 1000}),
                self._refund(trip, order, "2", {"shipping": True, "lines": [{"line": 1, "quantity": 1}]}),
                self._later(self._cancel(order)),
            )
        return await self._settled(order)

    async def ship(self, trip: Trip, order: str) -> str:
        if await self.pay(trip, order) == "paid":
            for path, body in (
                ("shipments", {"carrier": "CJ", "tracking_number": "1"}),
                ("deliveries", None),
            ):
                await self._as_admin(trip, order, path, body, f"{path}-{trip.number}")
        return await self._state(order)

    # ----- Single steps

    async def _state(self, order: str) -> str:
        answer = await self._browser.call("GET", f"/api/orders/{order}")
        if answer.status != 200:
            raise Lost(f"the order itself: {answer.status}")
        return str(answer.json["state"])

    async def _until(self, order: str, so: Callable[[str], bool]) -> str:
        give_up = time.monotonic() + UNTIL_PAID
        while not so(state := await self._state(order)) and time.monotonic() < give_up:
            await asyncio.sleep(LOOK_EVERY)
        return state

    async def _settled(self, order: str) -> str:
        """What it is once nothing is under way, or after a while. Who comes back to an unpaid order asks again."""
        give_up = time.monotonic() + UNTIL_PAID
        while time.monotonic() < give_up:
            state = await self._state(order)
            if state in OVER or state in {"paid", "shipped", "delivered"}:
                return state
            if state == "paying" and self._chance.random() < 0.2:
                await self._page(order)
            await asyncio.sleep(LOOK_EVERY)
        return state

    async def _page(self, order: str) -> str | None:
        """Where to pay, or None where it is too late."""
        answer = await self._browser.call("POST", f"/api/orders/{order}/payment")
        return str(answer.json["redirect_url"]) if answer.status == 200 else None

    async def _card(self, order: str, number: str) -> None:
        page = await self._page(order)
        if page is None:
            return
        answer = await self._browser.post_form(page, {"card": number})
        if number == ASKS and answer.status == 200:
            await self._browser.post_form(f"{page}/authenticate", {"answer": "yes"})

    async def _cancel(self, order: str) -> None:
        await self._browser.call("POST", f"/api/orders/{order}/cancel")

    async def _later(self, doing: Awaitable[None]) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.5))
        await doing

    async def _refund(self, trip: Trip, order: str, number: str, what: dict[str, Any]) -> None:
        await self._as_admin(
            trip, order, "refunds", {"reason": "returned", **what}, f"refund-{trip.number}-{number}"
        )

    async def _as_admin(self, trip: Trip, order: str, path: str, body: Any, key: str) -> None:
        """With the version of now, and again where it moved on meanwhile: each try is another request."""
        for attempt in range(5):
            headers = await self._admin()
            seen = await self._browser.call("GET", f"{self._gateway}/api/orders/{order}", headers=headers)
            headers["If-Match"] = seen.headers.get("ETag", "*")
            url = f"{self._gateway}/api/orders/{order}/{path}"
            answer = await self._browser.call(
                "POST", url, body, key=f"{self._name}-{key}-{attempt}", headers=headers
            )
            if answer.status == 412:
                continue
            if answer.status not in {201, 409}:
                self._wrong(trip, f"{path}: {answer.status} {answer.body.decode()}")
            return

    @property
    def _gateway(self) -> str:
        return self._stack.gateway_url

    def _wrong(self, trip: Trip, what: str) -> None:
        self._diary.wrong.append(f"order {trip.number}, {trip.twice.value}, {trip.ending.value}: {what}")


def email_of(name: str, number: int) -> str:
    """The address that tells one trip's order from all others."""
    return f"{name}-order-{number}@example.com"


_ENDINGS: dict[Ending, Callable[[Walk, Trip, str], Awaitable[str]]] = {
    Ending.PAY: Walk.pay,
    Ending.PAY_IN_TWO_TABS: Walk.pay_in_two_tabs,
    Ending.ASKED_FIRST: Walk.asked_first,
    Ending.BAD_CARD_FIRST: Walk.bad_card_first,
    Ending.BAD_CARD: Walk.bad_card,
    Ending.WALK_AWAY: Walk.walk_away,
    Ending.CANCEL_UNPAID: Walk.cancel_unpaid,
    Ending.CANCEL_WHILE_PAYING: Walk.cancel_while_paying,
    Ending.EXPIRE_WHILE_PAYING: Walk.expire_while_paying,
    Ending.CANCEL_PAID: Walk.cancel_paid,
    Ending.REFUND_PART: Walk.refund_part,
    Ending.REFUND_TWICE: Walk.refund_twice,
    Ending.SHIP: Walk.ship,
}
