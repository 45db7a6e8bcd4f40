"""What the domain refuses.

MemberError
├── UnknownMember     there is none, or it is not the caller's to see
├── EmailTaken        another member has the e-mail address
├── NotYours          only an administrator may change this
├── StaleMember       the member was changed since the caller read it
├── EmailIsSignIn     the address signs in, so that auth changes it, and not member
└── InvalidMember     values that are not allowed, each by its field
"""

from collections.abc import Mapping

from common.field_codes import InvalidValue


class MemberError(Exception):
    """A refusal of the member domain."""


class UnknownMember(MemberError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("There is no such member.")


class EmailTaken(MemberError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("Another member has this e-mail address.")


class NotYours(MemberError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("Only an administrator may change the grade.")


class StaleMember(MemberError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("The member was changed since you read it; read it again and repeat your change.")


class EmailIsSignIn(MemberError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__(
            "The member signs in with this e-mail address. Its owner changes it with POST /api/auth/email, an "
            "administrator with PUT /api/auth/accounts/{id}/email; both ask for the password."
        )


class InvalidMember(MemberError):  # noqa: N818
    """`faults` maps the field's path to what is wrong with its value."""

    def __init__(self, faults: Mapping[str, InvalidValue]) -> None:
        super().__init__("Some values are not valid.")
        self.faults = dict(faults)
