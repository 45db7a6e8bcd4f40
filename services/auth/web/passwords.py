"""Passwords: changing a known one, replacing a forgotten one."""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from services.auth.application.login_service import Client
from services.auth.application.password_service import PasswordService
from services.auth.domain.errors import UnacceptablePassword
from services.auth.web.accounts import account_of
from services.auth.web.schemas import PasswordChange, PasswordForgotten, PasswordReset
from services.chassis.docs import BEARER, PUBLIC
from services.chassis.errors import FieldError, InvalidInput
from services.chassis.identity import Identity
from services.chassis.injection import Injected
from services.chassis.problems import documented


@contextmanager
def _as_new_password() -> Iterator[None]:
    """Names the member that these bodies have for what registration calls `password`."""
    try:
        yield
    except UnacceptablePassword as refusal:
        raise InvalidInput([FieldError.refusing("new_password", refusal.value)]) from refusal


class PasswordController(Controller):
    path = "/api/auth/password"
    tags = ("password",)

    @post(
        "/change",
        status_code=204,
        operation_id="changePassword",
        summary="Change the password; ends all other sessions",
        description="Guests have none: 403.",
        responses=documented(400, 401, 403, 429, 503),
        security=BEARER,
    )
    async def change(
        self,
        data: JSONBody[PasswordChange],
        identity: NamedDependency[Identity],
        client: Injected[Client],
        password_service: Injected[PasswordService],
    ) -> None:
        with _as_new_password():
            await password_service.change(
                account_of(identity), identity.session, data.current_password, data.new_password, client
            )

    @post(
        "/forgot",
        public=True,
        status_code=202,
        operation_id="forgotPassword",
        summary="Ask for a link to choose a new password",
        description="Answers alike whether or not there is such an account.",
        responses=documented(400, 503),
        security=PUBLIC,
    )
    async def forgot(
        self,
        data: JSONBody[PasswordForgotten],
        client: Injected[Client],
        password_service: Injected[PasswordService],
    ) -> None:
        await password_service.forgot(data.email, client)

    @post(
        "/reset",
        public=True,
        status_code=204,
        operation_id="resetPassword",
        summary="Choose a new password by the mailed link; ends all sessions",
        responses=documented(400, 503),
        security=PUBLIC,
    )
    async def reset(
        self,
        data: JSONBody[PasswordReset],
        client: Injected[Client],
        password_service: Injected[PasswordService],
    ) -> None:
        with _as_new_password():
            await password_service.reset(data.token, data.new_password, client)
