"""Every event that was recorded from a real Kong, replayed against a plugin process that makes the same calls."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from devstack.kongside.client import Wire, kong_config
from devstack.kongside.methods import METHODS, exit_arguments
from kong.plugins.runtime import rpc
from kong.plugins.runtime.wire import bytes_field, integer_field, tagged, tagged_integer
from tests.kongside.recorded import Event, Frame, recorded_events
from tests.kongside.served import ServedPlugin, serving

EVENTS = list(enumerate(recorded_events()))
PHASES = [(number, event) for number, event in EVENTS if event.phase]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def replay() -> AsyncIterator[ServedPlugin]:
    async with serving("replay") as served:
        yield served


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("number", "event"), PHASES, ids=[event.name for _, event in PHASES])
async def test_the_same_frames_are_exchanged(replay: ServedPlugin, number: int, event: Event) -> None:
    instance = await replay.client().start_instance("replay", kong_config("replay", {"event": number}))
    wire = await replay.wire()
    await wire.write(
        tagged_integer(1, 77) + tagged(36, tagged_integer(1, instance) + tagged(2, event.phase.encode()))
    )
    await same_frames(wire, event, 77)
    wire.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_worker_that_writes_the_sequence_last_gets_it_back_at_each_repetition(
    replay: ServedPlugin,
) -> None:
    """After a restart Kong counts from one again: the same bytes come that came before."""
    number, event = next((number, event) for number, event in PHASES if event.name == "body-none/access")
    instance = await replay.client().start_instance("replay", kong_config("replay", {"event": number}))
    command = tagged(36, tagged(2, event.phase.encode()) + tagged_integer(1, instance))
    for sequence in (1, 2, 1, 1, 300, 300):
        wire = await replay.wire()
        await wire.write(command + tagged_integer(1, sequence))
        await same_frames(wire, event, sequence)
        wire.close()


async def same_frames(wire: Wire, event: Event, sequence: int) -> None:
    """Plays Kong's part of the event, and holds the plugin's to what was recorded."""
    for frame in event.frames:
        match frame.kind:
            case "pdk call":
                await same_call(wire, frame)
            case "pdk result":
                await wire.write(frame.payloads[0])
            case "end of event":
                assert await wire.read() == b""
                assert integer_field(await wire.read(), 1) == sequence


async def same_call(wire: Wire, recorded: Frame) -> None:
    method, argument = (await wire.read()).decode(), await wire.read()
    assert method == recorded.method
    if method == "kong.response.exit":
        assert exit_arguments(argument) == exit_arguments(recorded.payloads[1])
    elif method in METHODS:
        decode = METHODS[method][0]
        assert decode(argument) == decode(recorded.payloads[1])


@pytest.mark.parametrize("event", [event for _, event in EVENTS if event.name == "start-instance"], ids=str)
def test_a_start_is_read_and_answered_as_recorded(event: Event) -> None:
    call, answer = event.frames
    sequence, command = rpc.decode(call.payloads[0])
    assert isinstance(command, rpc.StartInstance)
    recorded = answer.payloads[0]
    status = bytes_field(recorded, 33)
    assert status is not None
    instance, started_at = integer_field(status, 2), integer_field(status, 4)
    assert instance is not None
    assert started_at is not None
    assert rpc.instance_status(sequence, command.name, instance, started_at)[4:] == recorded
