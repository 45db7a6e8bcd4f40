"""A plugin server's log lines: the names of every other log of the project."""

import json
import logging

from common.logs import NAMES
from kong.plugins.runtime.logs import _NAMES, JsonLines


def test_a_line_has_ecs_names() -> None:
    record = logging.makeLogRecord(
        {"msg": "a worker died; it is replaced", "name": "supervisor", "levelname": "ERROR", "process": 7}
        | {"status": -9, "in_seconds": 0.5, "cause": "killed"}
    )
    line = json.loads(JsonLines("idempotency").format(record))
    assert line.pop("@timestamp").endswith("+00:00")
    assert line == {
        "log.level": "error",
        "service.name": "idempotency",
        "log.logger": "supervisor",
        "process.pid": 7,
        "message": "a worker died; it is replaced",
        "process.exit_code": -9,
        "plugin.in_seconds": 0.5,
        "error.message": "killed",
    }


def test_what_both_name_is_named_alike() -> None:
    assert {name: _NAMES[name] for name in _NAMES.keys() & NAMES.keys() - {"status"}} == {
        name: NAMES[name] for name in _NAMES.keys() & NAMES.keys() - {"status"}
    }


def test_an_exception_is_one_line_with_its_end() -> None:
    try:
        raise ValueError("two\nlines " + "x" * 20_000 + "the end")
    except ValueError as error:
        record = logging.LogRecord("a", 40, "", 0, "failed", (), (type(error), error, error.__traceback__))
    text = JsonLines("idempotency").format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert line["error.type"] == "ValueError"
    assert line["error.stack_trace"].rstrip().endswith("the end")
