"""`/pay/SESSION`: the hosted page on which a shopper pays. Plain forms, no script."""

from html import escape

from aiohttp import web

from common.money import exponent
from sandbox_provider.account import Account, ApiError, CardRefused
from sandbox_provider.books import Books, Json
from sandbox_provider.faults import Faults
from sandbox_provider.texts import LANGUAGES, TEXTS

DECLINES = {
    "4000000000000002": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000009987": "lost_card",
    "4000000000000069": "expired_card",
}
ASK = {"4000002500003155", "4000002760003184", "4000000000003220"}
SUCCEED = {"4242424242424242", "5555555555554444", "4000000000000077"}
MOST_DIGITS = 19

_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Behind the point, where Stripe has others than ISO 4217 (https://docs.stripe.com/currencies#special-cases)."""

_SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
h1{font-size:1.25rem}.sum{font-size:1.75rem;font-weight:600}.note{background:#fff3cd;padding:.5rem .75rem}
.fault{background:#f8d7da;padding:.5rem .75rem}label{display:block;margin:.75rem 0 .25rem}
input{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}
button{font:inherit;width:100%;padding:.6rem;margin:1rem 0 .25rem;background:#1a56db;color:#fff;border:0}
button.second{background:#fff;color:#1a1a1a;border:1px solid #767676}
dl{font-size:.875rem}dt{font-family:monospace}dd{margin:0 0 .25rem}
"""


class Page:
    def __init__(self, books: Books, account: Account, faults: Faults) -> None:
        self._books = books
        self._account = account
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/pay/{id}", self.show),
            web.post("/pay/{id}", self.pay),
            web.post("/pay/{id}/authenticate", self.authenticate),
        ]

    async def show(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if session["status"] == "complete":
            raise web.HTTPSeeOther(_back(session))
        return _page(request, session, _form(session, _language(request, session)))

    async def pay(self, request: web.Request) -> web.Response:
        session = self._session(request)
        text = TEXTS[_language(request, session)]
        form = await request.post()
        number = "".join(str(form.get("card", "")).split())
        does = self._faults.card
        if not number.isascii() or not number.isdigit() or len(number) > MOST_DIGITS:
            return _page(
                request, session, _form(session, _language(request, session), text["no_number"]), 400
            )
        if does == "authenticate" or (not does and number in ASK):
            return _page(request, session, _question(session, text))
        if does == "decline" or number in DECLINES:
            return self._charge(request, session, DECLINES.get(number, "generic_decline"))
        return self._charge(request, session, None if number in SUCCEED | ASK else "incorrect_number")

    async def authenticate(self, request: web.Request) -> web.Response:
        session = self._session(request)
        agreed = (await request.post()).get("answer") == "yes"
        return self._charge(request, session, None if agreed else "authentication_required")

    def _charge(self, request: web.Request, session: Json, refused: str | None) -> web.Response:
        language = _language(request, session)
        text = TEXTS[language]
        declined = None
        try:
            with self._books.transaction():
                try:
                    session = self._account.pay(session["id"], refused=refused)
                except CardRefused as fault:
                    declined = fault.code  # what was noted of it is kept
        except ApiError:
            return _page(request, session, f"<p class=fault>{text['over']}</p>", 410)
        if declined is not None:
            return _page(
                request, session, _form(session, language, text.get(declined, text["declined"])), 402
            )
        raise web.HTTPSeeOther(_back(session))

    def _session(self, request: web.Request) -> Json:
        try:
            return self._account.session(request.match_info["id"])
        except ApiError:
            raise web.HTTPNotFound(text="There is no such page.", headers=_SECURITY) from None


def _back(session: Json) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _language(request: web.Request, session: Json) -> str:
    asked = str(session["locale"])
    if asked == "auto":
        asked = request.headers.get("Accept-Language", "")
    return next((language for language in LANGUAGES if asked.lower().startswith(language)), LANGUAGES[0])


def amount_text(amount: int, currency: str) -> str:
    """As the provider counts: won whole, dollars in cents."""
    digits = _DIGITS.get(currency.upper(), exponent(currency.upper()))
    return f"{amount / 10**digits:,.{digits}f} {currency.upper()}"


def _form(session: Json, language: str, fault: str = "") -> str:
    text = TEXTS[language]
    if session["status"] != "open":
        return f"<p class=fault>{text['over']}</p>"
    cards = "".join(
        f"<dt>{number}</dt><dd>{text[meaning]}</dd>"
        for number, meaning in (
            ("4242 4242 4242 4242", "card_good"),
            ("4000 0000 0000 0002", "card_bad"),
            ("4000 0025 0000 3155", "card_asks"),
        )
    )
    problem = f"<p class=fault role=alert id=fault>{fault}</p>" if fault else ""
    cancel = session.get("cancel_url")
    back = f'<p><a href="{escape(cancel, quote=True)}">{text["cancel"]}</a></p>' if cancel else ""
    return f"""{problem}<form method=post action="/pay/{session["id"]}">
<label for=card>{text["card"]}</label>
<input id=card name=card inputmode=numeric autocomplete=cc-number maxlength=30 required
aria-describedby="{"fault" if fault else "cards"}">
<button>{text["pay"]}</button></form>{back}<dl id=cards>{cards}</dl>"""


def _question(session: Json, text: dict[str, str]) -> str:
    return f"""<p>{text["question"]}</p><form method=post action="/pay/{session["id"]}/authenticate">
<button name=answer value=yes>{text["yes"]}</button>
<button class=second name=answer value=no>{text["no"]}</button></form>"""


def _page(request: web.Request, session: Json, content: str, status: int = 200) -> web.Response:
    language = _language(request, session)
    text = TEXTS[language]
    html = f"""<!doctype html><html lang={language}><head><meta charset=utf-8>
<meta name=viewport content="width=device-width,initial-scale=1">
<title>{text["title"]}</title><style>{_STYLE}</style></head>
<body><main><p class=note>{text["sandbox"]}</p><h1>{escape(session["description"])}</h1>
<p class=sum>{amount_text(session["amount_total"], session["currency"])}</p>{content}</main></body></html>"""
    return web.Response(text=html, content_type="text/html", status=status, headers=_SECURITY)
