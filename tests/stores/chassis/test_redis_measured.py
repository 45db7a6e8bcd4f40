"""What a service's Redis client tells its metrics and its traces, on a real Redis."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest
from coredis import exceptions
from prometheus_client import CollectorRegistry

from common.request_ids import from_headers
from common.telemetry import spans, tracing
from common.telemetry.calls import RedisCommands
from common.telemetry.spans import Span
from common.telemetry.tracing import Tracer
from devstack import throwaway
from services.chassis.redis import Redis

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0{}"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry(auto_describe=True)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Of the spans that were recorded."""
    kept: list[str] = []

    def take(found: Sequence[Span]) -> None:
        kept.extend(span.name for span in found)

    monkeypatch.setattr(tracing, "_tracer", Tracer(take, 1.0))
    outer = spans.current.set(None)
    yield kept
    spans.current.reset(outer)


def counted(registry: CollectorRegistry) -> tuple[float | None, float | None, float | None]:
    """Answered, failed, and how many were timed."""
    return (
        registry.get_sample_value("redis_commands_total", {"outcome": "answered"}),
        registry.get_sample_value("redis_commands_total", {"outcome": "failed"}),
        registry.get_sample_value("redis_command_duration_seconds_count"),
    )


def begin(sampled: bool) -> Span:
    tracer = tracing.tracer()
    assert tracer is not None
    return tracer.begin(from_headers([], [PARENT.format(int(sampled))]), "GET")


async def test_each_command_and_each_pipeline_is_counted_once(
    redis_url: str, registry: CollectorRegistry
) -> None:
    redis = Redis(redis_url, ended=RedisCommands(registry).ended)
    async with redis.lifespan():
        await redis.client.set("a", "1")
        async with redis.client.pipeline(transaction=True) as pipeline:
            pipeline.incr("a")
            after = pipeline.incr("a")
        assert await after == 3
        async with redis.client.pipeline(transaction=False) as pipeline:
            read = pipeline.get("a")
        assert await read == b"3"
        await redis.check()
    assert counted(registry) == (4, 0, 4)


async def test_a_script_that_redis_does_not_know_yet_has_not_failed(
    redis_url: str, registry: CollectorRegistry
) -> None:
    redis = Redis(redis_url, ended=RedisCommands(registry).ended)
    async with redis.lifespan():
        script = redis.client.register_script("return ARGV[1]")
        assert await script(keys=["a"], args=["x"]) == b"x"
    answered, failed, timed = counted(registry)
    assert failed == 0
    assert answered == timed
    assert answered


async def test_what_redis_refuses_and_what_it_does_not_answer_has_failed(
    redis_url: str, registry: CollectorRegistry
) -> None:
    redis = Redis(redis_url, ended=RedisCommands(registry).ended)
    async with redis.lifespan():
        await redis.client.set("a", "text")
        with pytest.raises(exceptions.RedisError):
            await redis.client.incr("a")
        with pytest.raises(exceptions.RedisError):
            async with redis.client.pipeline(transaction=True) as pipeline:
                pipeline.incr("a")
    assert counted(registry) == (1, 2, 3)


async def test_a_pipeline_that_is_never_sent_counts_nothing(
    redis_url: str, registry: CollectorRegistry
) -> None:
    redis = Redis(redis_url, ended=RedisCommands(registry).ended)
    async with redis.lifespan():
        with pytest.raises(ZeroDivisionError):
            async with redis.client.pipeline(transaction=True) as pipeline:
                pipeline.incr("a")
                raise ZeroDivisionError
        assert await redis.client.get("a") is None
    assert counted(registry) == (1, 0, 1)


# coredis leaves the memory streams of a connection that was refused to the garbage collector, which complains.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_redis_that_has_gone_is_a_failure(registry: CollectorRegistry) -> None:
    with ExitStack() as running:
        redis = Redis(running.enter_context(throwaway.redis()).url(), ended=RedisCommands(registry).ended)
        async with redis.lifespan():
            await redis.check()
            running.close()
            with pytest.raises((exceptions.RedisError, TimeoutError)):
                await redis.check()
    gc.collect()
    assert counted(registry) == (1, 1, 2)


async def test_a_sampled_request_has_a_span_for_each_and_another_none(
    redis_url: str, registry: CollectorRegistry, names: list[str]
) -> None:
    redis = Redis(redis_url, ended=RedisCommands(registry).ended)
    async with redis.lifespan():
        for sampled in (True, False):
            request = begin(sampled=sampled)
            await redis.client.set("a", "1")
            async with redis.client.pipeline(transaction=True) as pipeline:
                pipeline.incr("a")
            async with redis.client.pipeline(transaction=False) as pipeline:
                pipeline.get("a")
            tracing.finish(request, "/", 200, 0.1)
    assert names == ["SET", "MULTI", "PIPELINE", "GET /"]
