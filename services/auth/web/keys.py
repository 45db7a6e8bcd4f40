"""The public keys of access tokens, for whoever verifies them."""

import msgspec
from litestar import Response, get

from services.auth.application.ports import PublicKeys
from services.auth.web.schemas import KeySetBody
from services.chassis.docs import PUBLIC
from services.chassis.injection import Injected
from services.chassis.problems import documented


@get(
    "/.well-known/jwks.json",
    public=True,
    operation_id="getJwks",
    summary="The JWK set (RFC 7517 §5)",
    tags=["keys"],
    media_type="application/jwk-set+json",
    responses=documented(503),
    security=PUBLIC,
)
async def jwks(public_keys: Injected[PublicKeys]) -> Response[KeySetBody]:
    body = msgspec.convert({"keys": public_keys.published()}, KeySetBody)
    return Response(body, headers={"Cache-Control": "public, max-age=300"})
