import json

import pytest

from common import problem_details


def test_a_document_has_the_members_of_the_rfc_and_its_own() -> None:
    document = problem_details.document(
        type_="/problems/x",
        title="T",
        status=409,
        detail="D",
        instance="/api/x",
        request_id="r",
        members={"retryable": True},
    )
    assert json.loads(document) == {
        "type": "/problems/x",
        "title": "T",
        "status": 409,
        "detail": "D",
        "instance": "/api/x",
        "request_id": "r",
        "retryable": True,
    }


@pytest.mark.parametrize("sent", ["\udce9", "\ud800x", "x" * 100_000])
def test_whatever_a_client_sends_as_its_path_is_a_short_document_that_can_be_read(sent: str) -> None:
    document = problem_details.document(
        type_="about:blank", title="T", status=400, detail="D", instance=sent, request_id=sent
    )
    assert len(document) < 5000
    assert json.loads(document)["status"] == 400


def test_only_a_problem_with_a_name_has_a_page() -> None:
    assert problem_details.type_of("token-missing") == "/problems/token-missing"
    assert problem_details.type_of("") == "about:blank"
