"""Framing: whatever pieces a stream comes in, the frames are the same."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from kong.plugins.runtime.frames import Frames, frame

LIMIT = 4096
payloads = st.lists(st.binary(max_size=300), max_size=12)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in at)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def taken(frames: Frames, piece: bytes) -> list[bytes | None]:
    """As the connection takes what arrives."""
    whole = frames.whole(piece)
    return frames.feed(piece) if whole is None else [whole]


@given(payloads, st.lists(st.integers(min_value=0, max_value=5000), max_size=30))
def test_frames_are_the_same_in_whatever_pieces_they_come(sent: list[bytes], at: list[int]) -> None:
    frames = Frames(LIMIT)
    received = [payload for piece in cut(b"".join(map(frame, sent)), at) for payload in taken(frames, piece)]
    assert received == sent
    assert not frames.incomplete


@given(
    payloads,
    st.integers(min_value=LIMIT + 1, max_value=9000),
    payloads,
    st.lists(st.integers(0, 20000), max_size=30),
)
def test_a_frame_over_the_limit_is_reported_and_thrown_away(
    before: list[bytes], size: int, after: list[bytes], at: list[int]
) -> None:
    frames = Frames(LIMIT)
    data = b"".join(map(frame, [*before, bytes(size), *after]))
    received = [payload for piece in cut(data, at) for payload in taken(frames, piece)]
    assert received == [*before, None, *after]


@given(st.binary(max_size=200))
def test_anything_at_all_is_held_within_the_limit(noise: bytes) -> None:
    frames = Frames(64)
    for byte in noise:
        for payload in taken(frames, bytes((byte,))):
            assert payload is None or len(payload) <= 64


def test_an_unfinished_frame_is_known_as_such() -> None:
    frames = Frames(LIMIT)
    assert frames.feed(b"\x05\0\0\0abc") == []
    assert frames.incomplete
    assert frames.feed(b"de") == [b"abcde"]
    assert not frames.incomplete


def test_one_whole_frame_is_none_inside_of_another() -> None:
    frames = Frames(LIMIT)
    assert frames.whole(frame(b"abc")) == b"abc"
    assert frames.whole(frame(b"")) == b""
    outer = frame(frame(b"abc"))
    assert frames.feed(outer[:4]) == []
    assert frames.whole(outer[4:]) == frame(b"abc")
    assert frames.feed(outer[:6]) == []
    assert frames.whole(frame(b"")) is None
    assert frames.feed(outer[6:]) == [frame(b"abc")]
    oversized = frame(frame(bytes(LIMIT + 1)))
    assert frames.whole(oversized) is None
    assert frames.feed(oversized[:4]) == [None]
    assert frames.whole(frame(b"thrown away")) is None
