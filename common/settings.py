"""Settings: read once from the environment into a frozen struct; anything wrong stops the start by name.

Each field's variable is its name in upper case, or the one in its `Env`; its bounds and its description are msgspec's
`Meta`, so that docs/configuration.md is made from the code.
A value may also come from the file that `NAME_FILE` names (Docker secrets).
"""

import base64
import binascii
import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from common import address
from common.secret_files import lookup

DEVELOPMENT_MARK = "development"
"""A secret that starts with this word is for development only, and marked so in .env.example."""


class Env(msgspec.Struct, frozen=True):
    """Where a field's value comes from. `secret` values are never shown and are checked in production.

    `schemes` are those of a URL with credentials. Its password may come apart from it, in the
    variable `apart`. `{SERVICE}` in a variable's name is what the port's variable begins with.
    """

    name: str = ""
    secret: bool = False
    schemes: tuple[str, ...] = ()
    apart: str = ""


class SettingsError(Exception):
    """The environment is not complete or not right. The message names every variable concerned, no value."""


class Variable(msgspec.Struct, frozen=True):
    """One variable as the documents show it."""

    name: str
    type: str
    default: str | None
    description: str
    secret: bool


S = TypeVar("S", bound=msgspec.Struct)


def read(kind: type[S], environ: Mapping[str, str]) -> S:
    """Reads `kind` from `environ`. Raises SettingsError, which names all that is missing or malformed at once."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field, env, annotation in fields(kind):
        try:
            text = lookup(env.name, environ)
            if text is None:
                if field.required:
                    faults.append(f"{env.name} is not set")
                continue
            if env.schemes:
                text = _with_credentials(text, env, environ)
            values[field.name] = msgspec.convert(text, annotation, strict=False)
        except _AddressError as fault:
            faults.append(str(fault))
        except msgspec.ValidationError as fault:
            # msgspec's message speaks of types and bounds, not of the value, which may be secret.
            faults.append(f"{env.name} is not valid: {fault}")
        except OSError as fault:
            faults.append(f"{env.name}_FILE cannot be read: {fault.strerror}")
        except UnicodeDecodeError:
            faults.append(f"{env.name}_FILE is not UTF-8 text")
    if values.get("app_env") == "production":
        faults.extend(
            f"{env.name} holds a development secret, which production refuses"
            for field, env, _ in fields(kind)
            if env.secret and is_development_secret(str(values.get(field.name, "")))
        )
    if faults:
        raise SettingsError("; ".join(faults))
    return kind(**values)


def is_development_secret(value: str) -> bool:
    """True where the value itself, the password in its URL, or its base64 content is marked as for development."""
    candidates = [value]
    if "://" in value:
        with contextlib.suppress(ValueError):
            candidates.append(address.parse(value, _ANY_SCHEME).password or "")
    else:
        with contextlib.suppress(binascii.Error, ValueError):
            candidates.append(base64.b64decode(value, validate=True).decode("latin-1"))
    return any(candidate.lower().startswith(DEVELOPMENT_MARK) for candidate in candidates)


def describe(kind: type[msgspec.Struct]) -> list[Variable]:
    """The variables of `kind` in their order, for docs/configuration.md."""
    variables = []
    for field, env, annotation in fields(kind):
        meta = next((item for item in get_args(annotation)[1:] if isinstance(item, Meta)), None)
        default = None if field.required else str(field.default)
        variables.append(
            Variable(env.name, _type_name(annotation), default, (meta and meta.description) or "", env.secret)
        )
        if env.apart:
            variables.append(Variable(env.apart, "str", "", password_description(env.name), True))
    return variables


def password_description(url_variable: str) -> str:
    """The meaning of the variable that holds a URL's password, for the documents."""
    return f"The password for `{url_variable}`, as it is: no character of it is encoded or means anything."


def fields(kind: type[msgspec.Struct]) -> Iterator[tuple[msgspec.structs.FieldInfo, Env, Any]]:
    """Each field, where its value comes from, and its annotation."""
    hints = get_type_hints(kind, include_extras=True)
    service = _env(hints.get("port")).name.removesuffix("_PORT")
    for field in msgspec.structs.fields(kind):
        env = _env(hints[field.name])
        named = msgspec.structs.replace(
            env,
            name=(env.name or field.name.upper()).replace("{SERVICE}", service),
            apart=env.apart.replace("{SERVICE}", service),
        )
        yield field, named, hints[field.name]


def _env(annotation: Any) -> Env:
    return next((item for item in get_args(annotation) if isinstance(item, Env)), Env())


_ANY_SCHEME: Collection[str] = ("redis", "rediss", "postgresql", "postgres", "smtp", "smtps")


class _AddressError(Exception):
    """A URL with credentials that makes no sense, or no sense with its password. Quotes no value."""


def _with_credentials(url: str, env: Env, environ: Mapping[str, str]) -> str:
    """`url` with the password of its own variable, if there is one. Raises _AddressError."""
    try:
        password = lookup(env.apart, environ) if env.apart else None
    except OSError as fault:
        raise _AddressError(f"{env.apart}_FILE cannot be read: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise _AddressError(f"{env.apart}_FILE is not UTF-8 text") from fault
    try:
        if password is not None:
            return address.with_password(url, password, env.schemes)
        if url.partition("://")[0] in env.schemes:  # else the field's own pattern tells what is wrong
            address.parse(url, env.schemes)
    except ValueError as fault:
        raise _AddressError(f"{env.name} is not valid: {fault}") from fault
    return url


def _type_name(annotation: Any) -> str:
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if get_origin(base) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(base))
    return getattr(base, "__name__", str(base))
