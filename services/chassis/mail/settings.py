"""Settings of a service that sends mails, and what must be true of them."""

from email.utils import parseaddr
from typing import Annotated

from msgspec import Meta

from common import email_address, origins
from common.settings import Env, SettingsError

PublicOrigin = Annotated[
    str,
    Meta(description="The origin that browsers see; mailed links begin with it. https:// in production."),
]
MailUrl = Annotated[
    str,
    Meta(
        pattern="^(smtps?|file)://",
        description="Where mails go: `smtp://[user@]host:port` (with a user, STARTTLS is required), `smtps://…`, "
        "or `file:///folder` for files.",
    ),
    Env(secret=True, schemes=("smtp", "smtps"), apart="MAIL_PASSWORD"),
]
MailFrom = Annotated[
    str, Meta(min_length=3, description="Sender of the mails, such as `Shop <no-reply@shop.example>`.")
]
DEFAULT_SENDER = "Gatehouse <no-reply@gatehouse.example>"


def check_mail(public_origin: str, mail_from: str, *, production: bool) -> None:
    """Raises SettingsError where links of mails would lead nowhere, or nobody could answer them."""
    try:
        scheme = origins.of_setting(public_origin).scheme
    except ValueError as fault:
        raise SettingsError(
            "PUBLIC_ORIGIN is not valid: expected http(s)://host[:port] without a path"
        ) from fault
    if production and scheme != "https":
        raise SettingsError("PUBLIC_ORIGIN must be an https:// origin in production")
    try:
        email_address.normalise(parseaddr(mail_from)[1])
    except ValueError as fault:
        raise SettingsError("MAIL_FROM is not a sender such as Shop <no-reply@shop.example>") from fault
