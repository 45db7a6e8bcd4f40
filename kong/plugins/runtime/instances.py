"""Plugin instances: what Kong calls by number, and the Plugin objects behind them.

Kong starts an instance for each place that a plugin is attached to, in each of its workers. Its id is a digest of the
whole configuration, so it means the same in every worker process and after a restart, and never another
configuration. Instances whose own fields are equal share one Plugin object and one lifespan, unless what it keeps is
of one route (`ServedPlugin.per_route`).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from kong.plugins.runtime import metrics
from kong.plugins.runtime.at_once import AtOnce
from kong.plugins.runtime.errors import ConfigError, PluginError
from kong.plugins.runtime.plugin import Phase, ServedPlugin
from kong.plugins.runtime.shared_configs import SharedConfigs

log = logging.getLogger(__name__)

MOST_INSTANCES = 4096
"""Kong does not close what it forgets. Beyond this many those started first are let go, and start again on use."""
START_LIMIT = 5.0
"""Seconds that entering a lifespan may take."""

STARTS = metrics.counter(
    "kong_plugin_instance_starts_total",
    "Plugin instances by how they started.",
    outcome=("started", "refused"),
)


class RunningPlugin:
    """A Plugin object inside its lifespan."""

    def __init__(self, plugin: Any, phases: tuple[str, ...], default_deadline: float) -> None:
        self.deadline: float = getattr(plugin, "phase_deadline", default_deadline)
        self.at_once: Mapping[str, AtOnce[Any]] = getattr(plugin, "at_once", {})
        self.phases: Mapping[str, Phase] = {phase: getattr(plugin, phase) for phase in phases}
        self._plugin = plugin
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self.users = 0
        """Events that run in it."""
        self._task = asyncio.create_task(self._live(), name="plugin lifespan")

    @property
    def usable(self) -> bool:
        return self._ready.done() and not self._task.done()

    @property
    def over(self) -> bool:
        return self._task.done()

    async def ready(self) -> None:
        """Wait until the lifespan is entered. Raises what entering it raised, TimeoutError after START_LIMIT."""
        await asyncio.wait_for(asyncio.shield(self._ready), START_LIMIT)

    async def unused(self) -> None:
        """Wait until no event runs in it."""
        while self.users and not self.over:  # noqa: ASYNC110 - counting is on the hot path, waiting is not
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Leave the lifespan."""
        self._stop.set()
        if not self._ready.done():
            self._task.cancel()
        await asyncio.wait({self._task})

    async def _live(self) -> None:
        try:
            async with self._lifespan():
                self._ready.set_result(None)
                await self._stop.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(
                    error if isinstance(error, Exception) else PluginError("start given up")
                )
                self._ready.exception()  # looked at here, for when nobody waits any more
            elif isinstance(error, Exception):
                log.exception("the plugin's lifespan failed; it will be started again")
            if not isinstance(error, Exception):
                raise

    def _lifespan(self) -> AbstractAsyncContextManager[object]:
        lifespan = getattr(self._plugin, "lifespan", None)
        return _Nothing() if lifespan is None else lifespan()


class _Nothing(AbstractAsyncContextManager[None]):
    async def __aexit__(self, *_: object) -> None:
        return None


class Instance:
    """One configuration that Kong has started; `running` is there while its plugin can serve."""

    __slots__ = ("closed", "id", "key", "own", "route", "running")

    def __init__(self, instance: int, own: dict[str, Any], route: str | None) -> None:
        self.id = instance
        self.own = own
        self.route = route
        self.key = json.dumps((own, route), sort_keys=True)
        self.running: RunningPlugin | None = None
        self.closed = False


class Instances:
    """The instances of one plugin in one worker."""

    def __init__(self, plugin: ServedPlugin, shared: SharedConfigs, default_deadline: float) -> None:
        self._plugin = plugin
        self._shared = shared
        self._default_deadline = default_deadline
        self._instances: dict[int, Instance] = {}
        self._running: dict[str, RunningPlugin] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._instances)

    def find(self, instance: int) -> Instance | None:
        """The instance of an id, if Kong has started it in this or another worker since the server started."""
        found = self._instances.get(instance)
        if found is None and (config := self._shared.find(instance)) is not None:
            found = self._remember(instance, config)
        return found

    async def start(self, name: str, config: bytes) -> int:
        """Start an instance and return its id. Raises whatever stands against it."""
        try:
            instance = await self._start(name, config)
        except Exception:
            STARTS.labels(outcome="refused").inc()
            raise
        self._shared.add(instance, config)
        STARTS.labels(outcome="started").inc()
        return instance

    async def running(self, instance: Instance) -> RunningPlugin:
        """The instance's plugin, inside its lifespan. Raises what making or starting it raised."""
        running = self._running.get(instance.key)
        if running is None or running.over:
            plugin = self._plugin.make(dict(instance.own))
            if self._plugin.per_route:
                plugin.attached_to(instance.route)
            running = RunningPlugin(plugin, self._plugin.phases, self._default_deadline)
            self._running[instance.key] = running
        try:
            await running.ready()
        except Exception:
            if self._running.get(instance.key) is running:
                del self._running[instance.key]
            self._let_go(running)
            raise
        instance.running = running
        return running

    def close(self, instance: int) -> None:
        """Kong says it is done with an instance. Another Kong worker that is not starts it again."""
        self._shared.remove(instance)
        self._forget(instance)

    async def preload(self) -> None:
        """Start what Kong had started before this worker was there."""
        for instance, config in self._shared.all().items():
            try:
                await self.running(self._remember(instance, config))
            except Exception:
                log.exception(
                    "could not start the plugin ahead of its first event", extra={"instance": instance}
                )

    async def stop(self) -> None:
        """Leave every lifespan."""
        running, self._running = list(self._running.values()), {}
        self._instances.clear()
        await asyncio.gather(*(plugin.stop() for plugin in running), *self._stopping)

    async def _start(self, name: str, config: bytes) -> int:
        if name != self._plugin.name:
            raise PluginError(f"this server has the plugin {self._plugin.name}, not {name}")
        instance = self._free_id(config)
        found = self._instances.get(instance) or self._remember(instance, config)
        try:
            await self.running(found)
        except Exception:
            self._forget(instance)
            raise
        return instance

    def _free_id(self, config: bytes) -> int:
        """The configuration's id; the next one up in the rare case that another configuration has the same."""
        instance = instance_id(config)
        while (taken := self._shared.find(instance)) is not None and _object(taken) != _object(config):
            instance = instance % (2**31 - 1) + 1
        return instance

    def _remember(self, instance: int, config: bytes) -> Instance:
        while len(self._instances) >= MOST_INSTANCES:
            self._forget(next(iter(self._instances)))
        own = own_fields(config, self._plugin.fields)
        route = route_of(config) if self._plugin.per_route else None
        found = self._instances[instance] = Instance(instance, own, route)
        return found

    def _forget(self, instance: int) -> None:
        found = self._instances.pop(instance, None)
        if found is None:
            return
        found.closed = True
        if any(other.key == found.key for other in self._instances.values()):
            return
        running = self._running.pop(found.key, None)
        if running is not None:
            self._let_go(running)

    def _let_go(self, running: RunningPlugin) -> None:
        """Stop a plugin once the events that it is in have ended."""
        stopping = asyncio.create_task(_stop_when_unused(running))
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)


async def _stop_when_unused(running: RunningPlugin) -> None:
    await running.unused()
    await running.stop()


def instance_id(config: bytes) -> int:
    """A positive int32 that names the configuration, Kong's keys included (so each attachment has its own)."""
    canonical = json.dumps(_object(config), sort_keys=True).encode()
    digest = int.from_bytes(hashlib.sha256(canonical).digest()[:4], "big")
    return digest % (2**31 - 1) + 1


def own_fields(config: bytes, names: frozenset[str]) -> dict[str, Any]:
    """The plugin's own fields of what Kong sent. Raises ConfigError."""
    return {name: value for name, value in _object(config).items() if name in names}


def route_of(config: bytes) -> str | None:
    """The id of the route that Kong has attached it to; None where that is a service or everything."""
    route = _object(config).get("route_id")
    return route if isinstance(route, str) and route else None


def _object(config: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(config)
    except ValueError:
        raise ConfigError("config", "not JSON") from None
    if not isinstance(parsed, dict):
        raise ConfigError("config", "not an object")
    return parsed
