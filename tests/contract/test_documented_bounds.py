"""Bounds in the API documents are the ones that are enforced: for each, a value at it is taken, the next one not."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from litestar.di import Provide

from common.email_address import LONGEST
from services.auth.domain import passwords
from services.auth.web import schemas as auth_schemas
from services.auth.web.accounts import AccountController
from services.auth.web.passwords import PasswordController
from services.chassis.app import create_app
from services.member.domain.errors import InvalidMember
from services.member.domain.member import Grade, Profile
from services.member.web import schemas
from services.member.web.members import MembersController

GOOD_MEMBER = {"email": "a@example.com", "name": "Kim Minji"}
GOOD_ADDRESS = {"recipient": "Kim", "line1": "1", "city": "Seoul", "postal_code": "04524", "country": "KR"}
PRESENT = Profile(email="old@example.com", name="Old", grade=Grade.STANDARD)


def text(field: str, length: int) -> str:
    """A text of this length that nothing but its length could speak against."""
    if field == "email":
        return longest_email(length)
    if field in ("password", "new_password", "current_password"):
        return ("correct horse battery staple " * 40)[:length]
    if field == "phone":
        return "+82-10-1234-5678".ljust(length, "-") if length > 16 else "+821012345678"[:length]
    return "x" * length


def longest_email(length: int) -> str:
    domain = ".".join(["d" * 63, "d" * 63, "d" * 54, "example"])
    return "a" * (length - 1 - len(domain)) + "@" + domain


def taken(kind: Any, body: dict[str, Any]) -> bool:
    try:
        read = msgspec.json.decode(msgspec.json.encode(body), type=kind, strict=True)
        if isinstance(read, schemas.NewMember):
            read.profile()
        elif isinstance(read, schemas.MemberReplacement | schemas.MemberPatch):
            read.apply(PRESENT)
    except (msgspec.ValidationError, InvalidMember):
        return False
    return True


def document() -> dict[str, Any]:
    """The schemas of both API documents, as they are served."""
    names = ("accounts", "client", "idempotency", "members", "password_service", "registration_service")
    app = create_app(
        title="Both",
        handlers=[MembersController, AccountController, PasswordController],
        authenticator=None,
        dependencies={name: Provide(lambda: None, sync_to_thread=False) for name in names},
    )
    schemas: dict[str, Any] = app.openapi_schema.to_schema()["components"]["schemas"]
    return {name.rpartition("_")[2]: schema for name, schema in schemas.items()}


DOCUMENT = document()


def bounds(kind: Any) -> Iterator[tuple[str, str, int]]:
    """(field, bound, value) of the schema that the document shows."""
    for field, schema in DOCUMENT[kind.__name__]["properties"].items():
        for shape in [schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())]:
            for bound in ("minLength", "maxLength", "minItems", "maxItems"):
                if bound in shape:
                    yield field, bound, shape[bound]


MEMBERS = (schemas.NewMember, schemas.MemberReplacement, schemas.MemberPatch)


@pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
def test_each_bound_of_a_member_is_enforced(kind: Any) -> None:
    tried = list(bounds(kind))
    assert {field for field, _, _ in tried} >= {"email", "name", "phone", "addresses"}
    for field, bound, value in tried:
        if field == "addresses":
            assert taken(kind, {**GOOD_MEMBER, field: [GOOD_ADDRESS] * value})
            assert not taken(kind, {**GOOD_MEMBER, field: [GOOD_ADDRESS] * (value + 1)})
        elif bound == "maxLength":
            assert taken(kind, {**GOOD_MEMBER, field: text(field, value)}), (field, value)
            assert not taken(kind, {**GOOD_MEMBER, field: text(field, value + 1)}), (field, value)
        elif field == "name":
            assert taken(kind, {**GOOD_MEMBER, field: text(field, value)}), (field, value)
            assert not taken(kind, {**GOOD_MEMBER, field: text(field, value - 1)}), (field, value)


@pytest.mark.parametrize(("field", "bound", "value"), list(bounds(schemas.AddressBody)))
def test_each_bound_of_an_address_is_enforced(field: str, bound: str, value: int) -> None:
    def with_length(length: int) -> bool:
        body = {**GOOD_MEMBER, "addresses": [{**GOOD_ADDRESS, field: text(field, length)}]}
        return taken(schemas.NewMember, body)

    assert with_length(value)
    assert not with_length(value + 1 if bound == "maxLength" else value - 1)


def test_the_bounds_of_a_password_are_the_rules() -> None:
    for kind, field in ((auth_schemas.Registered, "password"), (auth_schemas.PasswordReset, "new_password")):
        found = {bound: value for name, bound, value in bounds(kind) if name == field}
        assert found == {"minLength": passwords.SHORTEST, "maxLength": passwords.LONGEST}
    passwords.accept(text("password", passwords.LONGEST))
    passwords.accept(text("password", passwords.SHORTEST))


def test_the_bound_of_an_address_is_the_rule() -> None:
    assert ("email", "maxLength", LONGEST) in list(bounds(auth_schemas.Registered))
