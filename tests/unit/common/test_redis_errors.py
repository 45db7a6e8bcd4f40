"""Which answers of Redis tell of its state, and which of a wrong command."""

import pytest

from common import redis_errors

FULL = "OOM command not allowed when used memory > 'maxmemory'."


@pytest.mark.parametrize(
    ("answer", "code", "passes"),
    [
        ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "BUSY", True),
        ("LOADING Redis is loading the dataset in memory", "LOADING", True),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "MASTERDOWN", True),
        ("READONLY You can't write against a read only replica.", "READONLY", True),
        ("CLUSTERDOWN The cluster is down", "CLUSTERDOWN", True),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "TRYAGAIN", True),
        ("NOREPLICAS Not enough good replicas to write.", "NOREPLICAS", True),
        ("EXECABORT Transaction discarded because of previous errors.", "EXECABORT", True),
        ("NOSCRIPT No matching script. Please use EVAL.", "NOSCRIPT", True),
        ("ERR max number of clients reached", "BUSY", True),
        ("ERR Error running script (call to f_1): @user_script:1: Script killed by user", "BUSY", True),
        (FULL, "OOM", False),
        ("MISCONF Redis is configured to save RDB snapshots, but is currently unable to persist", "MISCONF", False),
        ("NOAUTH Authentication required.", "NOAUTH", False),
        ("WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS", False),
        ("ERR invalid password", "WRONGPASS", False),
        ("NOPERM this user has no permissions to run the 'get' command", "NOPERM", False),
        ("DENIED Redis is running in protected mode", "DENIED", False),
        ("MOVED 3999 127.0.0.1:6381", "MOVED", False),
        (f"ERR Error running script (call to f_f9): @user_script:1: @user_script: 1: -{FULL}", "OOM", False),
        (f"Command # 1 (HINCRBY h f 1) of pipeline caused error: {FULL}", "OOM", False),
    ],
)  # fmt: skip
def test_a_state_of_redis(answer: str, code: str, passes: bool) -> None:
    state = redis_errors.state(answer)
    assert state is not None
    assert (state.code, state.passes) == (code, passes)
    assert state.retry_after >= 1


@pytest.mark.parametrize(
    "answer",
    [
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "ERR value is not an integer or out of range",
        "ERR unknown command 'BUSYBODY'",
        "OOMPH",
        "",
    ],
)
def test_a_mistake_of_ours(answer: str) -> None:
    assert redis_errors.state(answer) is None
