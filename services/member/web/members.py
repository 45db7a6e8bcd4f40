"""`/api/members`."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody

from services.chassis import preconditions
from services.chassis.docs import BEARER
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from services.chassis.problems import documented
from services.member.application.members import Caller, MemberService
from services.member.application.ports import Query, Sort
from services.member.domain.member import Member
from services.member.web import listing
from services.member.web.schemas import MemberBody, MemberPatch, MemberReplacement, NewMember

ADMIN = "admin"

IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description="The ETag that you read, or `*`.", max_length=1024),
]

IfNoneMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-None-Match", description="`*`, or ETags that it must not have.", max_length=1024
    ),
]

EMPTY = ResponseSpec(None, description="Done; there is nothing more to say.", generate_examples=False)
CHANGE_REFUSALS = documented(400, 401, 403, 404, 409, 412, 413, 422, 428, 503)


class MembersController(Controller):
    path = "/api/members"
    tags = ("members",)
    security = BEARER

    @get(
        operation_id="listMembers",
        summary="Members, page by page",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 503),
    )
    async def list_members(
        self,
        *,
        members: Injected[MemberService],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        sort: listing.SortOrder = Sort.NEWEST,
        prefix: listing.Prefix = None,
        grade: listing.GradeFilter = None,
        marketing_consent: listing.ConsentFilter = None,
        created_from: listing.CreatedFrom = None,
        created_before: listing.CreatedBefore = None,
    ) -> Page[MemberBody]:
        query = Query(
            sort=sort,
            # One more than asked for shows whether there is a next page.
            limit=limit + 1,
            prefix=listing.text("q", prefix),
            grade=grade,
            marketing_consent=marketing_consent,
            created_from=listing.moment("created_from", created_from),
            created_before=listing.moment("created_before", created_before),
            after=listing.after(cursor, sort),
        )
        return listing.page(await members.page(query), sort, limit)

    @post(
        operation_id="createMember",
        summary="Make a member without an account",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 409, 413, 422, 503),
    )
    @idempotent
    async def create_member(
        self,
        *,
        request: CallerRequest,
        members: Injected[MemberService],
        data: JSONBody[NewMember],
    ) -> Response[MemberBody]:
        member = await members.create(data.profile())
        return _answer(member, 201, {"Location": f"/api/members/{member.id}"})

    @get(
        "/me",
        operation_id="getOwnMember",
        summary="The caller's own member",
        responses=documented(401, 404, 503),
    )
    async def get_own_member(
        self, request: CallerRequest, members: Injected[MemberService]
    ) -> Response[MemberBody]:
        return _answer(await members.get(_caller(request), request.user.subject))

    @get(
        "/{member_id:uuid}",
        operation_id="getMember",
        summary="A member: one's own, or any for an administrator",
        responses=documented(400, 401, 404, 503),
    )
    async def get_member(
        self,
        *,
        request: CallerRequest,
        member_id: FromPath[UUID],
        members: Injected[MemberService],
    ) -> Response[MemberBody]:
        return _answer(await members.get(_caller(request), member_id))

    @put(
        "/{member_id:uuid}",
        operation_id="replaceMember",
        summary="Replace a member's profile",
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def replace_member(
        self,
        *,
        request: CallerRequest,
        member_id: FromPath[UUID],
        members: Injected[MemberService],
        data: JSONBody[MemberReplacement],
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response[MemberBody]:
        versions = preconditions.versions(if_match, if_none_match)
        return _answer(await members.change(_caller(request), member_id, versions, data.apply))

    @patch(
        "/{member_id:uuid}",
        operation_id="patchMember",
        summary="Change some of a profile (RFC 7396)",
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def patch_member(
        self,
        *,
        request: CallerRequest,
        member_id: FromPath[UUID],
        members: Injected[MemberService],
        data: JSONBody[MemberPatch],
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response[MemberBody]:
        versions = preconditions.versions(if_match, if_none_match)
        return _answer(await members.change(_caller(request), member_id, versions, data.apply))

    @delete(
        "/{member_id:uuid}",
        operation_id="deleteMember",
        summary="Delete a member and its personal data",
        responses={204: EMPTY, **CHANGE_REFUSALS},
    )
    @idempotent
    async def delete_member(
        self,
        *,
        request: CallerRequest,
        member_id: FromPath[UUID],
        members: Injected[MemberService],
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response[None]:
        caller = _caller(request)
        versions = preconditions.versions(if_match, if_none_match, required=not caller.is_admin)
        await members.delete(caller, member_id, versions)
        return Response(None, status_code=204)


def _caller(request: CallerRequest) -> Caller:
    return Caller(request.user.subject, ADMIN in request.user.roles)


def _answer(member: Member, status: int = 200, headers: dict[str, str] | None = None) -> Response[MemberBody]:
    tag = preconditions.etag(member.version)
    return Response(MemberBody.of(member), status_code=status, headers={"ETag": tag, **(headers or {})})
