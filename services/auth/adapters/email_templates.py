"""What auth's mails say. Plain text: a link that people can read before they follow it."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import urlencode

from common.email_address import on_the_wire
from services.auth.application.mailing import PreparedMail
from services.auth.domain.mails import Kind

_SUBJECTS = {
    Kind.PASSWORD_RESET: "Choose a new password",
    Kind.PASSWORD_CHANGED: "Your password was changed",
    Kind.EMAIL_CONFIRMATION: "Confirm your e-mail address",
    Kind.EMAIL_CHANGE: "Confirm your new e-mail address",
    Kind.EMAIL_CHANGE_REQUESTED: "Another e-mail address was asked for",
    Kind.EMAIL_CHANGED: "The e-mail address of your account was changed",
}


class EmailTemplates:
    """`site`: where the front end is, an origin; `sender` as in a From header."""

    def __init__(self, site: str, sender: str) -> None:
        self._site = site
        name, address = parseaddr(sender)
        self._sender = Address(name, addr_spec=on_the_wire(address))

    def written(self, mail: PreparedMail) -> EmailMessage:
        """The mail but its date and id. Raises ValueError where `to` is nothing that can be written to."""
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = on_the_wire(mail.to)
        message["Subject"] = _SUBJECTS[mail.kind]
        body = f"{_greeting(mail)}\n\n{self._text(mail)}\n"
        # Left as it is where that is allowed: quoted-printable breaks a link for who reads the file itself.
        message.set_content(body, cte="7bit" if body.isascii() else "quoted-printable")
        return message

    def _text(self, mail: PreparedMail) -> str:
        new_password = f"choose a new password at once: {self._site}/password/forgot"
        match mail.kind:
            case Kind.PASSWORD_RESET:
                return (
                    "somebody, probably you, asked for a new password. Choose it here:\n\n"
                    f"{self._link('/password/reset', mail.secret)}\n\n"
                    "The link works once and for a short time. If you did not ask, nothing has changed."
                )
            case Kind.PASSWORD_CHANGED:
                return (
                    "your password was changed and other devices were signed out. If this was not you, "
                    f"{new_password}"
                )
            case Kind.EMAIL_CONFIRMATION:
                return (
                    f"please confirm that this is your address:\n\n{self._link('/email/verify', mail.secret)}\n\n"
                    "If you did not give it to us, there is nothing to do."
                )
            case Kind.EMAIL_CHANGE:
                return (
                    "somebody, probably you, wants to sign in with this address from now on. Confirm it here:\n\n"
                    f"{self._link('/email/verify', mail.secret)}\n\n"
                    "If you did not give it to us, there is nothing to do."
                )
            case Kind.EMAIL_CHANGE_REQUESTED:
                return (
                    "your account is to move to another e-mail address. It moves when the link is opened that is "
                    "mailed there to whoever gives your password. Until then you sign in with this address, and "
                    f"you can take the change back: {self._site}/account/email\n\n"
                    f"If this was not you, somebody else knows your password: {new_password}\n"
                    "That takes the change back, too."
                )
            case Kind.EMAIL_CHANGED:
                return (
                    "your account signs in with another e-mail address from now on, and its mails go there.\n\n"
                    "If this was not you, somebody else uses your account. Ask us for help at once."
                )

    def _link(self, path: str, secret: str) -> str:
        return f"{self._site}{path}?{urlencode({'token': secret})}"


def _greeting(mail: PreparedMail) -> str:
    # A name is whatever was typed, and before the address is confirmed perhaps not by who reads this mail: nobody
    # sends strangers a text of their own in a mail of ours. Later one line of it, so that it cannot pass for our text.
    account = mail.account
    name = " ".join(account.name.split())[:100]
    return f"Hello {name}," if account.email_verified and mail.to == account.email else "Hello,"
