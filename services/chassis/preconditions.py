"""Entity tags over version numbers, and the preconditions of changes (RFC 9110 §8.8.3, §13.1.1 and §13.1.2): nobody
overwrites unseen changes."""

import re
from collections.abc import Iterable, Iterator

from services.chassis.errors import BadRequest, PreconditionRequired

_TAG = re.compile(r'(W/)?"([^"\x00-\x20\x7f]*)"')


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def versions(
    if_match: str | None, if_none_match: str | None = None, *, required: bool = True
) -> frozenset[int] | None:
    """The versions that `If-Match` and `If-None-Match` allow to change; None is any.

    `*` is any. Weak tags never match (§13.1.1), nor do tags that are not ours, so the answer may be empty. Raises
    PreconditionRequired where `If-Match` is missing and `required` (RFC 6585 §3), BadRequest where one is malformed, or
    where `If-None-Match` lists versions and `If-Match` none.
    """
    allowed = _allowed(if_match, required=required)
    if if_none_match is None:
        return allowed
    if if_none_match.strip() == "*":
        return frozenset()  # "only if there is none yet", of something that there is
    refused = frozenset(_numbers(tag for _, tag in _tags("If-None-Match", if_none_match)))
    if allowed is None:
        raise BadRequest("If-None-Match is * here, or stands beside an If-Match that lists entity tags.")
    return allowed - refused


def _allowed(if_match: str | None, *, required: bool) -> frozenset[int] | None:
    if if_match is None:
        if required:
            raise PreconditionRequired(
                "Send If-Match with the ETag that you read, so that no change is lost."
            )
        return None
    if if_match.strip() == "*":
        return None
    return frozenset(_numbers(tag for weak, tag in _tags("If-Match", if_match) if not weak))


def _tags(header: str, value: str) -> list[tuple[str | None, str]]:
    matches = [_TAG.fullmatch(part.strip()) for part in value.split(",") if part.strip()]
    if not matches or None in matches:
        raise BadRequest(f"{header} is not a list of entity tags.")
    return [(match[1], match[2]) for match in matches if match is not None]


def _numbers(tags: Iterable[str]) -> Iterator[int]:
    """The versions among `tags`; others are not ours."""
    return (int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10)


def has(if_none_match: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names the entity tag: the caller has what it would be sent (RFC 9110 §13.1.2).

    Compared weakly (§8.8.3.2). A header that is malformed names nothing.
    """
    if if_none_match is None:
        return False
    text = if_none_match.strip()
    return text == "*" or any(part.strip().removeprefix("W/") == tag for part in text.split(","))
