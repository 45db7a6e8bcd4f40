"""Which answers of Redis are its state, to be told as 503, and which are mistakes of ours."""

import pytest
from coredis.exceptions import ResponseError, WrongTypeError
from litestar import get

from services.chassis.app import create_app
from services.chassis.redis import REFUSALS, cannot_write
from tests.in_process import running

FULL = "OOM command not allowed when used memory > 'maxmemory'."


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (FULL, "OOM"),
        ("NOREPLICAS Not enough good replicas to write.", "NOREPLICAS"),
        ("MISCONF Redis is configured to save RDB snapshots, but is currently unable to persist", "MISCONF"),
        (f"Error running script (call to f_f9): @user_script:1: @user_script: 1: -{FULL}", "OOM"),
        (f"Command # 1 (HINCRBY h f 1) of pipeline caused error: {FULL}", "OOM"),
        ("Operation against a key holding the wrong kind of value", None),
        ("value is not an integer or out of range", None),
        ("OOMPH", None),
    ],
)
def test_a_redis_that_takes_no_writes_is_told_from_a_wrong_command(answer: str, code: str | None) -> None:
    assert cannot_write(answer) == code


@pytest.mark.parametrize(
    ("fault", "status"),
    [(ResponseError(FULL), 503), (ResponseError("syntax error"), 500), (WrongTypeError("wrong kind"), 500)],
)
async def test_only_what_redis_cannot_help_is_unavailable(fault: Exception, status: int) -> None:
    @get("/fails", public=True)
    async def fails() -> None:
        raise fault

    app = create_app(title="Test", handlers=[fails], authenticator=None, refusals=REFUSALS)
    async with running(app) as client:
        answer = await client.get("/fails")
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (status == 503)
