"""A plugin's commands to Redis, for a plugin that has some: given to `common.redis_link.RedisLink` as `ended`."""

from __future__ import annotations

from kong.plugins.runtime import metrics

_COMMANDS = metrics.counter(
    "redis_commands_total", "Commands to Redis, by how they ended.", outcome=("answered", "failed")
)
_SECONDS = metrics.histogram(
    "redis_command_duration_seconds", "Time from a command to Redis until its answer, or until it failed."
)
_ANSWERED, _FAILED = _COMMANDS.labels(outcome="answered"), _COMMANDS.labels(outcome="failed")


def ended(answered: bool, seconds: float) -> None:
    (_ANSWERED if answered else _FAILED).inc()
    _SECONDS.observe(int(seconds * 1e9))
