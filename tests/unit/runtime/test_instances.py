"""Instances: their ids, what they share, and when their plugin ends."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kong.plugins.runtime import instances as module
from kong.plugins.runtime.errors import ConfigError, PluginError
from kong.plugins.runtime.instances import Instances, instance_id, own_fields
from kong.plugins.runtime.pdk import Kong
from kong.plugins.runtime.plugin import ServedPlugin
from kong.plugins.runtime.shared_configs import SharedConfigs, create
from tests.waiting import until


class Recorder:
    """A plugin that tells what happened to it."""

    alive: list[Any]

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        if config.get("word") == "bad":
            raise ConfigError("word", "bad")

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.alive.append(self.config.get("word"))
        yield
        self.alive.remove(self.config.get("word"))

    async def access(self, kong: Kong) -> None: ...


@pytest.fixture
def shared() -> Iterator[SharedConfigs]:
    descriptor = create()
    yield SharedConfigs(descriptor)
    os.close(descriptor)


@pytest.fixture
async def started(shared: SharedConfigs) -> AsyncIterator[Instances]:
    Recorder.alive = []
    plugin = ServedPlugin("p", "1", 1, ("access",), [{"word": {"type": "string"}}], Recorder)
    instances = Instances(plugin, shared, 2.0)
    yield instances
    await instances.stop()
    assert Recorder.alive == []


def config(word: str, route: str) -> bytes:
    return f'{{"__key__": "plugins:p:{route}", "route_id": "{route}", "word": "{word}"}}'.encode()


def test_an_id_is_positive_and_the_same_for_the_same_configuration_in_any_order() -> None:
    assert instance_id(b'{"a": 1, "b": 2}') == instance_id(b'{"b":2,"a":1}')
    assert instance_id(b'{"a": 1}') != instance_id(b'{"a": 2}')
    assert all(0 < instance_id(b'{"a": %d}' % n) < 2**31 for n in range(1000))


def test_a_plugin_sees_its_own_fields_only() -> None:
    assert own_fields(config("w", "r"), frozenset({"word"})) == {"word": "w"}


@pytest.mark.parametrize("wrong", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_configuration_is_refused(wrong: bytes) -> None:
    with pytest.raises(ConfigError):
        own_fields(wrong, frozenset())


async def test_equal_configurations_share_one_plugin(started: Instances) -> None:
    one, two = await started.start("p", config("same", "r1")), await started.start("p", config("same", "r2"))
    assert one != two
    assert Recorder.alive == ["same"]
    first, second = started.find(one), started.find(two)
    assert first is not None
    assert second is not None
    assert first.running is second.running


async def test_what_keeps_something_of_a_route_is_shared_with_no_other(shared: SharedConfigs) -> None:
    class OfARoute:
        def __init__(self, config: dict[str, Any]) -> None:
            self.config = config

        def attached_to(self, route: str | None) -> None:
            self.route = route

        async def access(self, kong: Kong) -> None: ...

    made: list[OfARoute] = []

    def make(given: dict[str, Any]) -> OfARoute:
        made.append(OfARoute(given))
        return made[-1]

    plugin = ServedPlugin("p", "1", 1, ("access",), [{"word": {"type": "string"}}], make, per_route=True)
    instances = Instances(plugin, shared, 2.0)
    everywhere = b'{"__key__": "plugins:p", "word": "same"}'
    for given in (config("same", "r1"), config("same", "r2"), everywhere, config("same", "r1")):
        await instances.start("p", given)
    assert [(plugin.config, plugin.route) for plugin in made] == [
        ({"word": "same"}, "r1"),
        ({"word": "same"}, "r2"),
        ({"word": "same"}, None),
    ]
    await instances.stop()


async def test_a_plugin_ends_with_its_last_instance_and_after_its_events(started: Instances) -> None:
    one, two = await started.start("p", config("w", "r1")), await started.start("p", config("w", "r2"))
    found = started.find(two)
    assert found is not None
    assert found.running is not None
    found.running.users = 1
    started.close(one)
    started.close(two)
    await asyncio.sleep(0.1)
    assert Recorder.alive == ["w"]
    found.running.users = 0
    await until(lambda: Recorder.alive == [])


async def test_another_configuration_of_the_same_id_gets_another_id(
    started: Instances, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "instance_id", lambda config: 2**31 - 1)
    one, two = await started.start("p", config("a", "r")), await started.start("p", config("b", "r"))
    assert (one, two) == (2**31 - 1, 1)
    assert await started.start("p", config("b", "r")) == two


async def test_a_refused_configuration_is_not_kept(started: Instances) -> None:
    with pytest.raises(ConfigError, match="word: bad"):
        await started.start("p", config("bad", "r"))
    with pytest.raises(PluginError):
        await started.start("other", config("w", "r"))
    assert started.find(instance_id(config("bad", "r"))) is None


async def test_only_so_many_instances_are_kept(started: Instances, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_INSTANCES", 5)
    ids = [await started.start("p", config("w", f"r{n}")) for n in range(20)]
    assert len(started) == 5
    assert started.find(ids[0]) is not None  # started again from the shared configurations
