"""Says what an error answer of Redis means: a state that passes, one that an operator ends, or a mistake of ours.

The first two are 503 with Retry-After in every part; a mistake is a fault of the program. A code is the first word of
an error answer: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
"""

import re

import msgspec

PASSES = frozenset(
    {
        "BUSY",  # a script runs too long
        "LOADING",  # it reads its data after a start
        "MASTERDOWN",  # a replica without its master
        "READONLY",  # a replica now, after a failover
        "CLUSTERDOWN",
        "TRYAGAIN",  # a slot moves between nodes
        "NOREPLICAS",
        "NOGOODSLAVE",
        "NOQUORUM",
        "EXECABORT",  # one of the states above met a command of a transaction
        "NOSCRIPT",  # it was restarted between the load and the call
        "UNBLOCKED",
        "IOERR",
    }
)
OPERATOR = frozenset(
    {
        "OOM",  # maxmemory is reached
        "MISCONF",  # it cannot save
        "NOAUTH",
        "WRONGPASS",
        "NOPERM",
        "DENIED",  # protected mode
        "MOVED",  # a cluster, where one server was expected
        "ASK",
    }
)
MOVED_AWAY = frozenset({"READONLY", "MASTERDOWN"})
"""Answers after which the address should be looked up again: what was the master is none now."""


class State(msgspec.Struct, frozen=True):
    """Why Redis does not serve. `retry_after` is in whole seconds."""

    code: str
    passes: bool

    @property
    def retry_after(self) -> int:
        return 1 if self.passes else 5


def state(answer: str) -> State | None:
    """The state that an error answer tells of; None where the command itself is wrong."""
    for phrase, code in _WITHOUT_CODE:
        if phrase in answer:
            return _of(code)
    for found in _CODE.finditer(answer):
        if (known := _of(found[1])) is not None:
            return known
    return None


def _of(code: str) -> State | None:
    if code in PASSES:
        return State(code, passes=True)
    return State(code, passes=False) if code in OPERATOR else None


# At the start; or behind what a script (before Redis 7), a transaction or a pipeline adds.
_CODE = re.compile(r"(?:^|: -|caused error: |because of: )([A-Z]{3,}) ")
_WITHOUT_CODE = (
    ("max number of clients reached", "BUSY"),
    ("Script killed by user", "BUSY"),
    ("invalid password", "WRONGPASS"),  # before Redis 6
    ("without any password configured", "WRONGPASS"),
    ("The user executing the script can't run this command", "NOPERM"),
    ("The user executing the script can't access", "NOPERM"),
)
