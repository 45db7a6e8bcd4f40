"""What the domain refuses.

MemberError
├── UnknownMember     there is none, or it is not the caller's to see
├── EmailTaken        another member has the e-mail address
├── NotYours          only an administrator may change this
├── StaleMember       the member was changed since the caller read it
├── EmailUnderWay     auth says something of an address while the member's own change is on its way there
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


class EmailUnderWay(MemberError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__(
            "A change of the member's own e-mail address is on its way to auth; come back after it."
        )


class InvalidMember(MemberError):  # noqa: N818
    """`faults` maps the field's path to what is wrong with its value."""

    def __init__(self, faults: Mapping[str, InvalidValue]) -> None:
        super().__init__("Some values are not valid.")
        self.faults = dict(faults)
