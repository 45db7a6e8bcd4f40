"""The refusals of a call, as its entry in the API document."""

from collections.abc import Mapping

from litestar.openapi.datastructures import ResponseSpec

from services.chassis.problems import CONTENT_TYPE, ProblemDetails

_SAID = {
    400: "The request is malformed or a value is not allowed.",
    401: "Not signed in, or the credentials are wrong.",
    403: "Your account may not do this.",
    404: "There is no such thing, or it is not yours.",
    409: "It exists already.",
    429: "Too many failures; Retry-After says when to try again.",
    503: "Something that the answer needs is down or overloaded.",
}

PUBLIC: list[dict[str, list[str]]] = [{}]
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
INTERNAL: list[dict[str, list[str]]] = [{"internal": []}]


def problems(*statuses: int) -> Mapping[int, ResponseSpec]:
    return {
        status: ResponseSpec(
            ProblemDetails, description=_SAID[status], media_type=CONTENT_TYPE, generate_examples=False
        )
        for status in (*statuses, 503)
    }
