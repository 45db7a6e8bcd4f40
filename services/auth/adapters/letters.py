"""What auth's mails say. Plain text: a link that people can read before they follow it."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import urlencode

from common.email_address import on_the_wire
from services.auth.domain.accounts import Account


class Letters:
    """`site`: where the front end is, an origin; `sender` as in a From header."""

    def __init__(self, site: str, sender: str) -> None:
        self._site = site
        name, address = parseaddr(sender)
        self._sender = Address(name, addr_spec=on_the_wire(address))

    def password_reset(self, account: Account, secret: str) -> EmailMessage:
        moved = (
            "Your account was moved to another address, which nobody has signed in with yet. A new password brings it "
            "back to this one.\n\n"
        )
        return self._letter(
            account,
            account.recovery_email,
            "Choose a new password",
            f"somebody, probably you, asked for a new password. Choose it here:\n\n"
            f"{self._link('/password/reset', secret)}\n\n{moved if account.former_email else ''}"
            "The link works once and for a short time. If you did not ask, nothing has changed.",
        )

    def email_confirmation(self, account: Account, secret: str) -> EmailMessage:
        return self._letter(
            account,
            account.email,
            "Confirm your e-mail address",
            f"please confirm that this is your address:\n\n{self._link('/email/verify', secret)}\n\n"
            "If you did not give it to us, there is nothing to do.",
        )

    def password_changed(self, account: Account) -> EmailMessage:
        return self._letter(
            account,
            account.recovery_email,
            "Your password was changed",
            "your password was changed and other devices were signed out. If this was not you, choose a new "
            f"password at once: {self._site}/password/forgot",
        )

    def email_changed(self, account: Account, secret: str) -> EmailMessage:
        return self._letter(
            account,
            account.recovery_email,
            "The e-mail address of your account was changed",
            "your account signs in with another e-mail address from now on. If you wanted that, sign in with the new "
            "one once: until then, links to choose a password go on coming to this address.\n\n"
            "If this was not you, somebody else uses your account. Take it back here: choose a new password, and every "
            f"device is signed out and this address is yours again.\n\n{self._link('/password/reset', secret)}\n\n"
            f"The link works once. Later, have a new one sent to this address: {self._site}/password/forgot",
        )

    def _link(self, path: str, secret: str) -> str:
        return f"{self._site}{path}?{urlencode({'token': secret})}"

    def _letter(self, account: Account, to: str, subject: str, text: str) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self._sender
        letter["To"] = on_the_wire(to)
        letter["Subject"] = subject
        body = f"{_greeting(account, to)}\n\n{text}\n"
        # Left as it is where that is allowed: quoted-printable breaks a link for who reads the file itself.
        letter.set_content(body, cte="7bit" if body.isascii() else "quoted-printable")
        return letter


def _greeting(account: Account, to: str) -> str:
    # A name is whatever was typed, and before the address is confirmed perhaps not by who reads this mail: nobody
    # sends strangers a text of his own in a mail of ours, be it by confirming another address that the account was
    # moved to. Later one line of it, so that it cannot pass for our text.
    name = " ".join(account.name.split())[:100]
    return f"Hello {name}," if account.email_verified and to == account.email else "Hello,"
