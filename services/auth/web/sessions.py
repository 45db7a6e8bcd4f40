"""The caller's sessions: seeing where one is signed in, and ending that."""

from datetime import UTC, datetime
from uuid import UUID

from litestar import Controller, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.auth.application.session_service import SessionService
from services.auth.domain.sessions import Session
from services.auth.web.schemas import SessionBody, SessionsBody
from services.chassis.docs import BEARER
from services.chassis.identity import Identity
from services.chassis.injection import Injected
from services.chassis.problems import documented


def _body(session: Session, current: UUID) -> SessionBody:
    return SessionBody(
        id=session.id,
        device=session.device,
        address=session.address,
        created_at=datetime.fromtimestamp(session.created_at, UTC),
        last_seen_at=datetime.fromtimestamp(session.last_seen_at, UTC),
        current=session.id == current,
    )


class SessionController(Controller):
    path = "/api/auth/sessions"
    tags = ("sessions",)
    security = BEARER

    @get(
        "/",
        operation_id="listSessions",
        summary="Where the account is signed in",
        responses=documented(401, 503),
    )
    async def list_sessions(
        self,
        identity: NamedDependency[Identity],
        session_service: Injected[SessionService],
    ) -> SessionsBody:
        sessions = await session_service.list(identity.subject)
        return SessionsBody([_body(session, identity.session) for session in sessions])

    @delete(
        "/{session_id:uuid}",
        operation_id="endSession",
        summary="End one",
        responses=documented(401, 404, 503),
    )
    async def end(
        self,
        session_id: FromPath[UUID],
        identity: NamedDependency[Identity],
        session_service: Injected[SessionService],
    ) -> None:
        await session_service.end(identity.subject, session_id)

    @delete(
        "/", operation_id="endOtherSessions", summary="End all but this one", responses=documented(401, 503)
    )
    async def end_others(
        self,
        identity: NamedDependency[Identity],
        session_service: Injected[SessionService],
    ) -> None:
        await session_service.end_others(identity.subject, identity.session)
