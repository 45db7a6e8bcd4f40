"""Saving a profile with the version that its form was made from, so that nobody's change is overwritten unseen.

The version also makes a repeat harmless: a second click finds its own change stored, which counts as saved. So these
requests carry no idempotency key (docs/decisions/0021-conditional-changes.md).
"""

from typing import Any, NamedTuple

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import profiles
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.pages.profiles import Edit
from frontend_proxy.pages.refusals import refused, taken
from frontend_proxy.pages.site import Site, require_status


class Saved(NamedTuple):
    """`current` is the member as it is stored, with status 200 where it is what was asked for, 412 where it is not."""

    status: int
    current: dict[str, Any]
    answer: Answer


async def save(site: Site, visitor: PageContext, path: str, patch: dict[str, Any], *, version: int) -> Saved:
    """PATCHes a member if `version` is still current, or if it is what `patch` asks for already."""
    answer = await site.backend.call(visitor, "PATCH", path, patch, headers={"If-Match": f'"{version}"'})
    if answer.status != 412:
        return Saved(answer.status, answer.document(), answer)
    current = require_status(await site.backend.call(visitor, "GET", path), 200).document()
    repeated = all(current.get(name) == value for name, value in patch.items())
    return Saved(200 if repeated else 412, current, answer)


async def save_profile(
    site: Site, visitor: PageContext, path: str, form: Form, *, with_grade: bool, with_email: bool
) -> tuple[Edit | None, int]:
    """Saves a sent profile form. None where it was saved, else the form to show again; and the answer's status."""
    values = profiles.typed(form, with_grade=with_grade, with_email=with_email)
    version = profiles.version(form)
    saved = await save(site, visitor, path, profiles.change(values), version=version)
    if saved.status == 200:
        return None, 200
    translator = site.views.translator(visitor)
    if saved.status == 412:
        theirs = profiles.differing(values, profiles.stored(saved.current))
        return Edit(values, int(saved.current["version"]), {}, theirs, translator.t("profile.stale")), 412
    fault, errors = refused(translator, saved.answer, profiles.FIELDS, taken(saved.answer))
    return Edit(values, version, errors, {}, fault), saved.status
