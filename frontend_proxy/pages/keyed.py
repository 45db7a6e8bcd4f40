"""What a form changes, once: under the key that it was rendered with, and at the version that its page showed."""

import asyncio
from collections.abc import Mapping
from typing import Any

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms, profiles
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.pages.site import Site

IN_PROGRESS = "idempotency-in-progress"
TRIES, PAUSE = 20, 0.25
"""A form that is sent again while its first sending is on its way waits for that one's answer."""


async def post(
    site: Site,
    visitor: PageContext,
    path: str,
    form: Form,
    body: Mapping[str, Any] | None = None,
    *,
    versioned: bool = True,
) -> Answer:
    """`POST path` with the form's key and, where `versioned`, its `version` as `If-Match`. Raises Problem where nobody
    knows what became of it: with the same key it may be sent again."""
    headers = {"Idempotency-Key": form.key}
    if versioned:
        headers["If-Match"] = f'"{profiles.version(form)}"'
    for _ in range(TRIES):
        answer = await site.backend.call(visitor, "POST", path, body, headers=headers)
        if forms.problem_name(answer) != IN_PROGRESS:
            break
        await asyncio.sleep(PAUSE)
    return answer


def open_outcome(answer: Answer | None) -> bool:
    """Whether it may have been done all the same (None: there was no answer), so that the key is to be kept."""
    return answer is None or answer.status >= 500 or forms.problem_name(answer) == IN_PROGRESS
