"""What makes a module a plugin: its configuration, declared once or as Kong's schema."""

from types import ModuleType
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from kong.plugins.runtime.errors import ConfigError, PluginError
from kong.plugins.runtime.pdk import Kong
from kong.plugins.runtime.plugin import served

SCHEMA = [{"times": {"type": "integer", "default": 2}}]


class Config(Struct, frozen=True):
    times: Annotated[int, Meta(ge=1, le=9, description="How often it is said.")] = 1


class Plugin:
    def __init__(self, config: Any) -> None:
        self.config = config

    async def access(self, kong: Kong) -> None: ...


def module(**members: Any) -> ModuleType:
    made = ModuleType("trial")
    made.__dict__.update({"Plugin": Plugin, "version": "1.0.0", "priority": 1, **members})
    return made


def test_a_plugin_gets_its_own_config_and_kong_the_schema_of_it() -> None:
    plugin = served("trial", module(Config=Config))
    rules = {"type": "integer", "between": [1, 9], "default": 1, "description": "How often it is said."}
    assert plugin.kong_schema()["fields"] == [{"config": {"type": "record", "fields": [{"times": rules}]}}]
    assert plugin.fields == {"times"}
    assert plugin.make({"times": 3}).config == Config(times=3)
    with pytest.raises(ConfigError, match="times"):
        plugin.make({"times": 10})


def test_a_plugin_that_runs_before_the_consumer_is_known_is_for_no_consumer() -> None:
    early = served("trial", module(priority=1450)).kong_schema()["fields"][1:]
    assert early == [{"consumer": {"type": "foreign", "reference": "consumers", "eq": None}}]


def test_a_plugin_with_a_schema_of_its_own_gets_what_kong_sends() -> None:
    plugin = served("trial", module(Schema=SCHEMA))
    assert plugin.schema == SCHEMA
    assert plugin.make({"times": 3}).config == {"times": 3}


def test_a_plugin_may_have_nothing_to_configure() -> None:
    assert served("trial", module()).schema == []


@pytest.mark.parametrize(
    "members", [{"Config": Config, "Schema": SCHEMA}, {"Config": {"times": 1}}], ids=["both", "no struct"]
)
def test_two_declarations_or_one_of_another_kind_are_no_plugin(members: dict[str, Any]) -> None:
    with pytest.raises(PluginError, match="Config"):
        served("trial", module(**members))
