"""Kong's schema of a struct, and what of a configuration is refused by the same declaration."""

import contextlib
import math
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from kong.plugins.runtime import configuration
from kong.plugins.runtime.errors import ConfigError, PluginError

Name = Annotated[str, Meta(pattern=r"^[a-z-]+\Z")]


class Config(Struct, frozen=True, kw_only=True):
    who: Annotated[str, Meta(min_length=1, max_length=9, description="Who is greeted here.")]
    how: Annotated[Literal["loud", "low"], Meta(description="How it is said to them.")] = "low"
    times: Annotated[int, Meta(ge=1, le=9, description="How often it is said.")] = 1
    pause: Annotated[float, Meta(ge=0, le=1.5, description="Seconds between two of them.")] = 0.5
    always: Annotated[bool, Meta(description="Whether rain changes nothing.")] = False
    names: Annotated[tuple[Name, ...], Meta(min_length=1, description="Those who greet.")] = ("ada",)
    secret: (
        Annotated[str, Meta(description="What nobody reads aloud.", extra={"referenceable": True})] | None
    ) = None


def test_kongs_schema_says_all_that_the_struct_says() -> None:
    assert configuration.schema(Config) == [
        {
            "who": {
                "type": "string",
                "required": True,
                "len_min": 1,
                "len_max": 9,
                "description": "Who is greeted here.",
            }
        },
        {
            "how": {
                "type": "string",
                "one_of": ["loud", "low"],
                "default": "low",
                "description": "How it is said to them.",
            }
        },
        {
            "times": {
                "type": "integer",
                "between": [1, 9],
                "default": 1,
                "description": "How often it is said.",
            }
        },
        {
            "pause": {
                "type": "number",
                "between": [0, 1.5],
                "default": 0.5,
                "description": "Seconds between two of them.",
            }
        },
        {"always": {"type": "boolean", "default": False, "description": "Whether rain changes nothing."}},
        {
            "names": {
                "type": "array",
                "elements": {"type": "string", "match": "^[a-z-]+$"},
                "len_min": 1,
                "default": ["ada"],
                "description": "Those who greet.",
            }
        },
        {"secret": {"type": "string", "referenceable": True, "description": "What nobody reads aloud."}},
    ]


def of_one_field(annotation: Any, **default: Any) -> type[Struct]:
    return msgspec.defstruct("One", [("field", annotation, *default.values())])


@pytest.mark.parametrize(
    "annotation",
    [
        str,
        Annotated[str, Meta(description="short")],
        Annotated[str, Meta(description="x" * 501)],
        Annotated[dict[str, str], Meta(description="a map of texts")],
        Annotated[tuple[str, str], Meta(description="a pair of texts")],
        Annotated[int | str, Meta(description="one of two kinds")],
        Annotated[Literal[1, 2], Meta(description="numbers to choose from")],
        Annotated[int, Meta(ge=1, description="without an upper end")],
        Annotated[int, Meta(gt=1, lt=5, description="between the two")],
        Annotated[str, Meta(pattern=r"^\d+\Z", description="digits in Python alone")],
        Annotated[str, Meta(pattern="^a|b", description="a choice, which Lua has not")],
        Annotated[str, Meta(pattern="^a-b", description="a lazy repetition in Lua")],
        Annotated[str, Meta(pattern="^[a-z]+$", description="an end before a line break")],
        Annotated[str, Meta(extra={"encrypt": True}, description="nothing reads this")],
    ],
)
def test_what_kong_could_not_say_is_no_configuration(annotation: Any) -> None:
    with pytest.raises(PluginError, match="field"):
        configuration.schema(of_one_field(annotation))


def test_a_default_is_within_its_own_bounds() -> None:
    one = of_one_field(Annotated[int, Meta(ge=1, le=2, description="one or two of them")], default=3)
    with pytest.raises(PluginError, match="field"):
        configuration.schema(one)


def test_absent_and_null_have_the_default_and_a_field_without_one_is_required() -> None:
    assert configuration.read(Config, {"who": "Ada", "names": None, "unknown": 1}) == Config(who="Ada")
    with pytest.raises(ConfigError) as error:
        configuration.read(Config, {"who": None})
    assert error.value.field == "who"


def test_numbers_of_lua_are_read_as_what_they_are() -> None:
    read = configuration.read(Config, {"who": "Ada", "times": 3.0, "pause": 1, "names": ["ada", "eve"]})
    assert (read.times, read.pause, read.names) == (3, 1.0, ("ada", "eve"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("who", ""),
        ("who", "x" * 10),
        ("who", 1),
        ("how", "loudly"),
        ("times", 0),
        ("times", 1.5),
        ("times", True),
        ("times", "1"),
        ("pause", 1.6),
        ("pause", math.nan),
        ("always", 1),
        ("names", {}),
        ("names", ["Ada"]),
        ("names", ["ada\n"]),
        ("names", "ada"),
    ],
)
def test_what_kong_would_refuse_is_refused_by_the_fields_name(field: str, value: Any) -> None:
    with pytest.raises(ConfigError) as error:
        configuration.read(Config, {"who": "Ada", field: value})
    assert error.value.field == field


@given(st.dictionaries(st.sampled_from(Config.__struct_fields__), st.from_type(object), max_size=3))
def test_no_value_leads_to_another_error(values: dict[str, Any]) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(configuration.read(Config, values), Config)
