"""How a shopper's browser talks: it repeats what got no answer, now and then gives up early, and counts answers."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

PATIENCE = 150.0
"""Seconds after which something that has got no answer counts as lost."""
PATIENCES = (20.0,) * 9 + (0.05,)
"""Seconds for which one answer is waited for: now and then it is lost."""
IN_PROGRESS = "/problems/idempotency-in-progress"


class Lost(Exception):  # noqa: N818 - the word for what happened
    """No answer within PATIENCE."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The type of a problem document, else nothing."""
        try:
            said = self.json
        except ValueError:
            return ""
        return str(said.get("type", "")) if isinstance(said, dict) else ""


@dataclass
class Diary:
    """What all shoppers together heard. `wrong`: what no fault explains. `acknowledged`: the answers of 201 by key."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    acknowledged: dict[str, set[bytes]] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)


class Browser:
    """One shopper's. `headers` go with every call to `base`."""

    def __init__(self, http: aiohttp.ClientSession, base: str, diary: Diary, chance: random.Random) -> None:
        self._http = http
        self._base = base
        self._diary = diary
        self._chance = chance
        self.headers: dict[str, str] = {}

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Insists until there is an answer that is one. Raises Lost."""
        sent = {**self.headers, **(headers or {})} | ({"Idempotency-Key": key} if key else {})
        url = path if path.startswith("http") else self._base + path
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            answer = await self._once(method, url, body, sent)
            if answer is not None and answer.status < 500 and answer.problem != IN_PROGRESS:
                return answer
            await asyncio.sleep(self._chance.uniform(0.05, 1.0))
        raise Lost(f"{method} {path}")

    async def post_form(self, url: str, form: dict[str, str]) -> Answer:
        """At the provider's page; a redirect is not followed."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            answer = await self._once("POST", url, None, {}, form)
            if answer is not None and answer.status < 500:
                return answer
            await asyncio.sleep(self._chance.uniform(0.05, 1.0))
        raise Lost(f"POST {url}")

    async def _once(
        self, method: str, url: str, body: Any, headers: dict[str, str], form: dict[str, str] | None = None
    ) -> Answer | None:
        timeout = aiohttp.ClientTimeout(total=self._chance.choice(PATIENCES))
        try:
            async with self._http.request(
                method, url, json=body, data=form, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                heard = Answer(answer.status, await answer.read(), dict(answer.headers))
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            self._diary.answers[type(fault).__name__] += 1
            return None
        said = heard.json.get("detail", "") if heard.status == 500 and heard.problem else heard.problem
        self._diary.answers[f"{heard.status} {said}".strip()] += 1
        return heard
