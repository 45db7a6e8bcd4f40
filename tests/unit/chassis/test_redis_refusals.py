"""Which answers of Redis are its state, to be told as 503, and which are mistakes of ours."""

import pytest
from coredis import exceptions
from coredis.exceptions import ResponseError, WrongTypeError
from coredis.parser import Parser
from litestar import get

from services.chassis.app import create_app
from services.chassis.redis import REFUSALS
from tests.in_process import running

STATES = (
    "BUSY Redis is busy running a script.",
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down",
    "READONLY You can't write against a read only replica.",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "NOREPLICAS Not enough good replicas to write.",
    "EXECABORT Transaction discarded because of previous errors.",
    "NOSCRIPT No matching script.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "MISCONF Redis is configured to save RDB snapshots",
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM this user has no permissions to run the 'get' command",
    "ERR max number of clients reached",
)


async def answer_to(fault: Exception) -> tuple[int, str | None]:
    @get("/fails", public=True)
    async def fails() -> None:
        raise fault

    app = create_app(title="Test", handlers=[fails], authenticator=None, refusals=REFUSALS)
    async with running(app) as client:
        answer = await client.get("/fails")
    return answer.status_code, answer.headers.get("Retry-After")


@pytest.mark.parametrize("line", STATES)
async def test_what_redis_cannot_help_is_unavailable_as_the_client_raises_it(line: str) -> None:
    status, retry_after = await answer_to(Parser().parse_error(line))
    assert status == 503
    assert int(retry_after or 0) >= 1


@pytest.mark.parametrize(
    "fault",
    [
        ResponseError("syntax error"),
        WrongTypeError("wrong kind"),
        exceptions.DataError("no such type"),
        ResponseError("Operation against a key holding the wrong kind of value"),
    ],
)
async def test_a_wrong_command_is_a_fault_of_ours(fault: Exception) -> None:
    assert (await answer_to(fault))[0] == 500
