"""Every way in which auth refuses, as one tree. `web/refusals.py` gives each its HTTP status.

Refusal
├── InvalidEmail            the address is not one (RFC 5321)
├── InvalidName             the name shows nothing, is too long or holds control characters
├── EmailTaken              another account has this address
├── UnacceptablePassword    the new password breaks a rule
├── WrongCredentials        unknown account, wrong password or disabled account, told apart by nobody
├── WrongPassword           the current password, asked for again, is wrong
├── SessionEnded            the token's session is over, unknown or was revoked
├── UnknownSession          not one of the caller's sessions
├── UnknownAccount          no such account (only to other services and on the command line)
├── InvalidLink             a mailed link is unknown, used or too old
├── UnknownRole             a role that the platform does not have
├── RotationUnderWay        a new signing key is published already and does not sign yet
├── TryLater                throttled; `seconds` says for how long
└── Overloaded              more password hashes are waiting than this process will take on
"""

from common.field_codes import InvalidValue, Parameter


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """Base of all; its text is shown to the caller, so it never holds a secret."""


class InvalidEmail(Refusal):
    def __init__(self) -> None:
        super().__init__("This is not an e-mail address.")


class InvalidName(Refusal):
    """`value` says what is wrong with it."""

    def __init__(self, value: InvalidValue) -> None:
        super().__init__(f"The name {value}.")
        self.value = value


class EmailTaken(Refusal):
    def __init__(self) -> None:
        super().__init__("An account with this e-mail address exists.")


class UnacceptablePassword(Refusal):
    """`value` says which rule it breaks."""

    def __init__(self, code: str, **params: Parameter) -> None:
        self.value = InvalidValue(code, **params)
        super().__init__(f"The password {self.value}.")


class WrongCredentials(Refusal):
    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class WrongPassword(Refusal):
    def __init__(self) -> None:
        super().__init__("The current password is wrong.")


class SessionEnded(Refusal):
    def __init__(self) -> None:
        super().__init__("The session has ended; sign in again.")


class UnknownSession(Refusal):
    def __init__(self) -> None:
        super().__init__("You have no such session.")


class UnknownAccount(Refusal):
    def __init__(self) -> None:
        super().__init__("There is no such account.")


class InvalidLink(Refusal):
    def __init__(self) -> None:
        super().__init__("The link is invalid, was used already or has expired.")


class UnknownRole(Refusal):
    pass


class RotationUnderWay(Refusal):
    def __init__(self) -> None:
        super().__init__("A key rotation is under way; let it end first.")


class TryLater(Refusal):
    """`seconds`: how long the caller must wait, at least 1."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many attempts; wait before the next one.")
        self.seconds = seconds


class Overloaded(Refusal):
    def __init__(self) -> None:
        super().__init__("Too many sign-ins at the same moment; try again shortly.")
