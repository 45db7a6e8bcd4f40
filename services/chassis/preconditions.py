"""Entity tags over version numbers, and `If-Match` (RFC 9110 §8.8.3 and §13.1.1): nobody overwrites unseen changes."""

import re

from services.chassis.errors import BadRequest, PreconditionRequired

_TAG = re.compile(r'(W/)?"([^"\x00-\x20\x7f]*)"')


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def versions(if_match: str | None, *, required: bool = True) -> frozenset[int] | None:
    """The versions that `If-Match` allows to change; None is any.

    `*` is any. Weak tags never match (§13.1.1), nor do tags that are not ours, so the answer may be empty. Raises
    PreconditionRequired where the header is missing and `required` (RFC 6585 §3), BadRequest where it is malformed.
    """
    if if_match is None:
        if required:
            raise PreconditionRequired(
                "Send If-Match with the ETag that you read, so that no change is lost."
            )
        return None
    text = if_match.strip()
    if text == "*":
        return None
    parts = [part.strip() for part in text.split(",")]
    matches = [_TAG.fullmatch(part) for part in parts if part]
    if not matches or None in matches:
        raise BadRequest("If-Match is not a list of entity tags.")
    tags = [match.groups() for match in matches if match is not None]
    return frozenset(
        int(tag) for weak, tag in tags if not weak and tag.isascii() and tag.isdigit() and len(tag) < 10
    )
