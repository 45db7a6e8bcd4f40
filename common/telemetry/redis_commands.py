"""The span of a Redis command: its name alone, since keys and values hold what is personal."""

from common.telemetry.spans import Kind, Span


def redis_command(within: Span, name: bytes | int | str) -> Span:
    operation = name.decode() if isinstance(name, bytes) else str(name)
    return within.child(operation, Kind.CLIENT, {"db.system.name": "redis", "db.operation.name": operation})
