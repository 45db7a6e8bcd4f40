"""Saving a profile with the version that its form was made from, so that nobody's change is overwritten
unseen."""

from typing import Any

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms, profiles
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.profiles import Edit
from frontend_proxy.pages.site import Site
from frontend_proxy.pages.visitor import Visitor


async def save(
    site: Site, visitor: Visitor, path: str, patch: dict[str, Any], *, version: int, key: str
) -> Answer:
    """PATCHes a member with `If-Match`; 412 where `version` is no longer current."""
    return await site.backend.call(
        visitor, "PATCH", path, patch, headers={"If-Match": f'"{version}"', "Idempotency-Key": key}
    )


async def save_profile(
    site: Site, visitor: Visitor, path: str, form: Form, *, with_grade: bool
) -> tuple[Edit | None, int]:
    """Saves a sent profile form. None where it was saved, else the form to show again; and the answer's
    status."""
    values = profiles.typed(form, with_grade=with_grade)
    version = profiles.version(form)
    answer = await save(site, visitor, path, profiles.change(values), version=version, key=form.key)
    if answer.status == 200:
        return None, 200
    tongue = site.views.tongue(visitor)
    fault = tongue.problem(
        "email-taken" if answer.status == 409 else forms.problem_name(answer), answer.status
    )
    theirs: dict[str, Any] = {}
    if answer.status == 412:
        current = (await site.backend.call(visitor, "GET", path)).document()
        theirs = profiles.differing(values, profiles.stored(current))
        version = int(current.get("version") or version)
        fault = tongue.t("profile.stale")
    errors = tongue.objections(forms.objections(answer))
    return Edit(values, version, errors, theirs, fault), answer.status
