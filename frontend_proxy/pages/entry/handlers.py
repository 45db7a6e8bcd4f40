"""/register, /sign-in, /sign-out, /language."""

# ruff: noqa: A002 - `next` is the query parameter's name
from litestar import Controller, get, post
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from common.languages import LANGUAGES
from frontend_proxy import cookies
from frontend_proxy.auth_client import Answer
from frontend_proxy.cookies import Header, Tokens
from frontend_proxy.edge.paths import local_target
from frontend_proxy.pages import forms
from frontend_proxy.pages.cart.counting import in_cart
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.refusals import refused
from frontend_proxy.pages.site import Site, redirect
from frontend_proxy.pages.translator import COOKIE
from frontend_proxy.problems import Problem

REGISTER_FIELDS = frozenset({"name", "email", "password"})


class Entry(Controller):
    """The pages to register, sign in and sign out."""

    @get("/sign-in")
    async def ask_to_sign_in(
        self,
        site: InjectedSite,
        guest: InjectedPageContext,
        next: FromQuery[str] = "/",
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        if guest.signed_in:
            return redirect(local_target(next))
        return site.views.page(
            guest, "entry/sign_in.html", next=local_target(next), email="", fault=None, done=done
        )

    @post("/sign-in")
    async def sign_in(
        self, request: PageRequest, site: InjectedSite, entrant: InjectedPageContext
    ) -> ASGIResponse:
        guest = entrant
        form = await forms.read(request)
        target, email = local_target(form.text("next")), form.text("email")
        answer = await _login(site, guest, email, form.secret("password"))
        if answer.tokens is not None:
            return redirect(target, await _started(site, guest, answer.tokens))
        fault = site.views.translator(guest).problem(
            "sign-in" if answer.status in {400, 401, 422} else "", answer.status
        )
        return site.views.page(
            guest, "entry/sign_in.html", status=answer.status, next=target, email=email, fault=fault, done=""
        )

    @get("/register")
    async def ask_to_register(
        self, site: InjectedSite, guest: InjectedPageContext, next: FromQuery[str] = "/"
    ) -> ASGIResponse:
        if guest.signed_in:
            return redirect(local_target(next))
        return site.views.page(
            guest, "entry/register.html", next=local_target(next), email="", name="", fault=None, errors={}
        )

    @post("/register")
    async def register(
        self, request: PageRequest, site: InjectedSite, entrant: InjectedPageContext
    ) -> ASGIResponse:
        """Makes the account and signs in. Where signing in fails, the sign-in page follows."""
        guest = entrant
        form = await forms.read(request)
        target, email, name = local_target(form.text("next")), form.text("email"), form.text("name")
        password = form.secret("password")
        answer = await site.backend.session_call(
            guest, "register", {"email": email, "password": password, "name": name}, form.key
        )
        if answer.status == 201:
            entered = await _login(site, guest, email, password)
            if entered.tokens is None:
                return redirect("/sign-in?done=registered")
            return redirect(target, await _started(site, guest, entered.tokens))
        fault, errors = refused(
            site.views.translator(guest), answer, REGISTER_FIELDS, "register" if answer.status == 409 else ""
        )
        return site.views.page(
            guest,
            "entry/register.html",
            status=answer.status,
            next=target,
            email=email,
            name=name,
            fault=fault,
            errors=errors,
        )

    @get("/sign-out")
    async def ask_to_sign_out(self) -> ASGIResponse:
        return redirect("/")

    @post("/sign-out")
    async def sign_out(self, site: InjectedSite, visitor: InjectedPageContext) -> ASGIResponse:
        """Ends the session at auth by the access token, which is renewed first if it has expired. Where auth is
        down, the cookies are cleared all the same, and the page says what was not done."""
        done = "signed-out"
        if visitor.access is not None:
            try:
                await site.backend.end_session(visitor)
            except Problem:
                done = "forgotten"
        return redirect(
            f"/sign-in?done={done}", [*site.session_cookies.end(), in_cart(0, secure=site.secure)]
        )

    @post("/language")
    async def choose_language(self, request: PageRequest, site: InjectedSite) -> ASGIResponse:
        form = await forms.read(request)
        chosen, target = form.text("language"), _without_language(local_target(form.text("next")))
        if chosen not in LANGUAGES:
            return redirect(target)
        return redirect(target, [cookies.preference(COOKIE, chosen, secure=site.secure)])


def _without_language(target: str) -> str:
    """An address that names a language would win over the choice."""
    path, _, query = target.partition("?")
    kept = [pair for pair in query.split("&") if pair and not pair.startswith("lang=")]
    return path + ("?" + "&".join(kept) if kept else "")


async def _started(site: Site, guest: PageContext, tokens: Tokens) -> list[Header]:
    """The cookies of a session that begins; a guest's cart comes along."""
    started = site.session_cookies.start(tokens)
    count = await site.backend.bring_cart(guest, tokens.access)
    return started if count is None else [*started, in_cart(count, secure=site.secure)]


async def _login(site: Site, guest: PageContext, email: str, password: str) -> Answer:
    return await site.backend.session_call(guest, "login", {"email": email, "password": password})
