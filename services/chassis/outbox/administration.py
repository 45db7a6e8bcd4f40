"""`/api/outbox/<service>`: what a service could not deliver, for administrators to see and to try again.

The same calls in every service that has an outbox; each names itself in its address, so that the gateway knows where a
call goes. Bodies are not shown: they may be personal.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Response, Router, get, post
from litestar.params import PathParameter, QueryParameter

from services.chassis.docs import BEARER
from services.chassis.errors import FieldError, InvalidInput, NotFound
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected, provided
from services.chassis.outbox.store import OutboxMessage, OutboxStore
from services.chassis.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from services.chassis.postgres import Database
from services.chassis.problems import documented

ADMIN = "admin"
_HIGHEST = 2**63 - 1

MessageNumber = Annotated[int, PathParameter(ge=1, le=_HIGHEST, description="The message's `id`.")]
StateFilter = Annotated[
    Literal["dead", "waiting"],
    QueryParameter(
        name="state", description="`dead`: refused too often, and given up; `waiting`: tried until they go."
    ),
]


class MessageView(msgspec.Struct, frozen=True):
    """`call` is what was to be done at `target`, and `error` what was said of it last. `dead_since` is null for a
    message that is still tried by itself. Of one `aggregate` those behind a dead letter wait for it."""

    id: str
    target: str
    call: str
    aggregate: str
    created_at: datetime
    dead_since: datetime | None
    attempts: int
    refusals: int
    error: str
    request_id: str

    @classmethod
    def of(cls, message: OutboxMessage) -> "MessageView":
        return cls(
            id=str(message.id),
            target=message.target,
            call=f"{message.method} {message.path}",
            aggregate=message.aggregate,
            created_at=message.created_at,
            dead_since=message.dead_letter_at,
            attempts=message.attempts,
            refusals=message.refusals,
            error=message.last_error,
            request_id=message.request_id,
        )


MOST_COUNTED = 100


class StuckView(msgspec.Struct, frozen=True):
    """`dead`: dead letters, at most 100 of them. `waiting_since`: when the oldest message was written that is still
    tried; null where none waits."""

    dead: int
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True)
class Administered:
    """What the handlers work with."""

    store: OutboxStore


@get(
    operation_id="listOutboxMessages",
    summary="Messages that could not be delivered, the oldest first",
    roles=(ADMIN,),
    responses=documented(400, 401, 403, 503),
)
async def list_messages(
    *,
    stuck: Injected[Administered],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    in_state: StateFilter = "dead",
) -> Page[MessageView]:
    found = await stuck.store.page(dead=in_state == "dead", after=_after(cursor), limit=limit + 1)
    shown = [MessageView.of(message) for message in found[:limit]]
    return Page(shown, shown[-1].id if len(found) > limit else None)


@get(
    "/summary",
    operation_id="summariseOutbox",
    summary="How many messages were given up, and since when the oldest one waits",
    roles=(ADMIN,),
    responses=documented(401, 403, 503),
)
async def summarise(*, stuck: Injected[Administered]) -> StuckView:
    found = await stuck.store.stuck(MOST_COUNTED)
    return StuckView(found.dead, found.waiting_since)


@post(
    "/{message_id:int}/retries",
    operation_id="retryOutboxMessage",
    summary="Try a dead letter again",
    roles=(ADMIN,),
    status_code=202,
    responses=documented(400, 401, 403, 404, 409, 413, 422, 503),
)
@idempotent
async def retry_message(
    *, request: CallerRequest, message_id: MessageNumber, stuck: Injected[Administered]
) -> Response[None]:
    """It is delivered as soon as its turn comes; 404 where it is no dead letter, as after another's retry."""
    if not await stuck.store.retry_dead_letters(message_id):
        raise NotFound("There is no such dead letter.")
    return Response(None, status_code=202)


def administration(service: str, database: Database) -> Router:
    """The handlers, for the `handlers` of a service's app."""
    return Router(
        path=f"/api/outbox/{service}",
        route_handlers=[list_messages, summarise, retry_message],
        dependencies=provided(stuck=Administered(OutboxStore(database))),
        tags=["outbox"],
        security=BEARER,
    )


def _after(cursor: str | None) -> int:
    """The id after which the page begins. Raises InvalidInput for a cursor that is not of this list."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20 and int(cursor) <= _HIGHEST):
        raise InvalidInput([FieldError.of("cursor", "invalid_cursor")])
    return int(cursor)
