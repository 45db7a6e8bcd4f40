"""`/internal/members`: for auth's outbox, never routed by the gateway."""

from uuid import UUID

from litestar import Response, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from services.chassis.docs import INTERNAL
from services.chassis.injection import Injected
from services.chassis.outbox import PROVIDE_SEQUENCE, MessageSequence
from services.chassis.problems import documented
from services.member.application.members import MemberService
from services.member.web.schemas import AccountMember


@put(
    "/internal/members/{member_id:uuid}",
    internal=True,
    dependencies={"sequence": PROVIDE_SEQUENCE},
    operation_id="followAccount",
    summary="An account was registered or changed",
    tags=["internal"],
    security=INTERNAL,
    status_code=200,
    responses={
        201: ResponseSpec(None, description="The member was made.", generate_examples=False),
        **documented(400, 401, 404, 413, 503),
    },
)
async def follow_account(
    member_id: FromPath[UUID],
    data: JSONBody[AccountMember],
    members: Injected[MemberService],
    sequence: MessageSequence,
) -> Response[None]:
    """201 where the member is new, 200 where it was there already; repeating is harmless."""
    created = await members.follow_account(member_id, data.email, data.name, sequence)
    return Response(None, status_code=201 if created else 200)
