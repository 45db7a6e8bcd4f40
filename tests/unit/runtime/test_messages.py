"""The PDK's messages: what is encoded is read back, and bytes that are no message are refused."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kong.plugins.runtime import messages, rpc
from kong.plugins.runtime.errors import BodyUnreadableError, MalformedMessageError
from kong.plugins.runtime.messages import BodyInFile, UriCaptures, Value
from kong.plugins.runtime.wire import tagged, tagged_double, tagged_integer, varint

texts = st.text(max_size=200)
values: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
decoders: list[Callable[[bytes], object]] = [
    messages.text,
    messages.optional_text,
    messages.content,
    messages.integer,
    messages.boolean,
    messages.number,
    messages.raw_body,
    messages.uri_captures,
    messages.struct,
    messages.value,
    rpc.decode,
]


@given(st.dictionaries(texts, values, max_size=8))
def test_a_struct_is_read_back_as_it_was(members: dict[str, Value]) -> None:
    assert messages.struct(messages.encode_struct(members)) == members


@given(values)
def test_a_value_is_read_back_as_it_was(value: Value) -> None:
    assert messages.value(messages.encode_value(value)) == value


@given(st.binary(max_size=300))
def test_bytes_that_are_no_text_survive_both_ways(raw: bytes) -> None:
    assert messages.encode_text(messages.text(messages.encode_content(raw))) == messages.encode_content(raw)


@given(st.integers(min_value=-(2**31), max_value=2**31 - 1))
def test_an_integer_is_read_back_as_it_was(number: int) -> None:
    assert messages.integer(messages.encode_integer(number)) == number


@pytest.mark.parametrize("decode", decoders)
@given(noise=st.binary(max_size=64))
def test_noise_is_read_as_something_or_refused(decode: Callable[[bytes], object], noise: bytes) -> None:
    with contextlib.suppress(MalformedMessageError, BodyUnreadableError):
        decode(noise)


@given(st.dictionaries(texts, values, min_size=1, max_size=6), st.data())
def test_a_struct_cut_short_is_refused_or_shorter(members: dict[str, Value], data: st.DataObject) -> None:
    whole = messages.encode_struct(members)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with contextlib.suppress(MalformedMessageError):
        assert len(messages.struct(cut)) < len(members)


def test_members_in_another_order_are_the_same_struct() -> None:
    name, value = tagged(1, b"host"), tagged(2, tagged(3, b"shop.example"))
    assert messages.struct(tagged(1, value + name)) == {"host": "shop.example"}
    assert messages.struct(tagged(1, name + value)) == {"host": "shop.example"}


def test_nesting_without_end_is_refused() -> None:
    value = messages.encode_value("deep")
    for _ in range(200):
        value = tagged(6, tagged(1, value))
    with pytest.raises(MalformedMessageError):
        messages.value(value)


def test_a_varint_without_end_is_refused() -> None:
    with pytest.raises(MalformedMessageError):
        messages.integer(b"\x08" + b"\xff" * 20)


def test_fields_that_are_not_known_are_passed_over() -> None:
    unknown = (
        tagged(9, b"x") + tagged_integer(10, 5) + tagged_double(11, 1.5) + varint(12 << 3 | 5) + b"\0\0\0\0"
    )
    assert messages.text(unknown + tagged(1, b"known")) == "known"


def test_a_body_is_content_a_path_in_kong_or_an_error() -> None:
    assert messages.raw_body(tagged(1, b"\x00\xff")) == b"\x00\xff"
    assert messages.raw_body(tagged(2, b"/var/body")) == BodyInFile("/var/body")
    with pytest.raises(BodyUnreadableError, match="no room"):
        messages.raw_body(tagged(3, b"no room"))


def test_captures_have_places_and_names() -> None:
    encoded = tagged(1, b"7") + tagged(2, tagged(1, b"id") + tagged(2, b"7"))
    assert messages.uri_captures(encoded) == UriCaptures(("7",), {"id": "7"})


def test_a_command_is_told_from_its_sequence_without_decoding_it() -> None:
    payload = tagged_integer(1, 300) + tagged(36, b"rest")
    assert rpc.sequence_and_rest(payload) == (tagged_integer(1, 300), tagged(36, b"rest"))


@pytest.mark.parametrize("sequence", [1, 127, 128, 300, 2**31])
@pytest.mark.parametrize("command", [b"rest", b"x" * 127, b"x" * 128, b"x" * 70_000, b""])
def test_the_sequence_is_told_from_the_command_in_either_order(sequence: int, command: bytes) -> None:
    # Kong's encoder writes fields in the order of a Lua table, which is another in each worker.
    number, rest = tagged_integer(1, sequence), tagged(36, command)
    assert rpc.sequence_and_rest(number + rest) == (number, rest)
    assert rpc.sequence_and_rest(rest + number) == (number, rest)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        tagged(36, b"rest"),
        tagged(36, b"rest") + tagged_integer(1, 7) + tagged_integer(9, 1),
        tagged(36, b"rest") + b"\x08",
        tagged(36, b"rest") + b"\x08\xff",
        b"\x08\xff",
    ],
)
def test_a_command_in_another_form_is_never_taken_for_one_that_came_before(payload: bytes) -> None:
    assert rpc.sequence_and_rest(payload) is None
