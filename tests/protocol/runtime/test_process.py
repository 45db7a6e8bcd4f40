"""The server as a process: started, killed, stopped, reloaded, run twice, flooded."""

import asyncio
import json
import os
import random
import signal
import stat
import subprocess
import sys
import urllib.request
from typing import Any

import pytest

from devstack.kongside.client import Exited, Finished, PluginServerError, Wire, kong_config
from devstack.throwaway import free_port
from kong.plugins.runtime.wire import bytes_field, integer_field, tagged, tagged_integer
from tests.kongside.served import ServedPlugin, request, serving
from tests.waiting import WITHIN, ended, until


@pytest.fixture(params=["trial", "trial-at-once"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def begun(do: str) -> tuple[asyncio.Event, dict[str, Any]]:
    """A request of which is known when its phase has begun."""
    asked = asyncio.Event()

    def answer(_: str) -> str:
        asked.set()
        return do

    return asked, request() | {"kong.request.get_header": answer}


async def repeat(
    served: ServedPlugin, results: list[Finished | Exited | Exception], enough: asyncio.Event
) -> None:
    """Steady requests over four connections, and into `results` what each came to."""
    client, config = served.client(), kong_config(served.name, {})

    async def one_after_another() -> None:
        while not enough.is_set():
            try:
                pdk = request()
                results.append(await client.handle_event(config, "access", pdk))
                assert "x-greeting" in pdk["upstream"]
            except PluginServerError as error:
                results.append(error)

    await asyncio.gather(*(one_after_another() for _ in range(4)))


async def test_a_killed_worker_is_replaced_and_connections_wait_for_it() -> None:
    async with serving("trial") as served:
        client, config = served.client(), kong_config("trial", {})
        assert await client.handle_event(config, "access", request()) == Finished()
        served.workers()[0].kill()
        assert await client.handle_event(config, "access", request()) == Finished()


async def test_a_killed_supervisor_takes_its_workers_along() -> None:
    async with serving("trial") as served:
        workers = served.workers()
        served.process.kill()
        served.process.wait()
        await until(lambda: all(ended(worker.pid) for worker in workers))


async def test_the_socket_of_a_killed_server_is_taken_over() -> None:
    async with serving("trial") as served:
        os.killpg(served.process.pid, signal.SIGKILL)
        served.process.wait()
        assert served.socket.exists()
        served.process = subprocess.Popen(served.command)
        async with asyncio.timeout(WITHIN):
            while True:
                try:
                    assert await served.run(request()) == Finished()
                    break
                except PluginServerError:
                    await asyncio.sleep(0.05)


async def test_a_second_server_on_a_live_socket_is_refused_and_harms_nothing() -> None:
    async with serving("trial") as served:
        second = await asyncio.to_thread(
            subprocess.run, served.command, capture_output=True, text=True, timeout=120, check=False
        )
        assert second.returncode == 1
        assert "another server is listening" in second.stderr
        assert await served.run(request()) == Finished()


async def test_a_file_that_is_not_a_socket_is_left_alone() -> None:
    async with serving("trial") as served:
        path = served.socket.with_name("precious")
        path.write_text("data")
        command = [str(path) if part == str(served.socket) else part for part in served.command]
        second = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=120, check=False
        )
        assert second.returncode == 1
        assert "not a socket" in second.stderr
        assert path.read_text() == "data"


async def test_the_socket_lets_every_user_in_and_the_dump_is_there_before_it() -> None:
    async with serving("trial") as served:
        assert stat.S_IMODE(served.socket.stat().st_mode) == 0o666
        dump = json.loads(served.dump.read_text())
        assert dump["Protocol"] == "ProtoBuf:1"
        (plugin,) = dump["Plugins"]
        assert plugin["Name"] == plugin["Schema"]["name"] == "trial"
        assert plugin["Phases"] == ["access", "response"]
        assert (plugin["Priority"], plugin["Version"]) == (10, "1.2.3")


async def test_sigterm_finishes_what_runs_and_removes_the_socket(kind: str) -> None:
    async with serving(kind) as served:
        client, config = served.client(), kong_config(kind, {})
        await client.handle_event(config, "access", request())
        asked, pdk = begun("sleep")
        running = asyncio.create_task(client.handle_event(config, "access", pdk))
        await asked.wait()
        served.process.terminate()
        assert await running == Finished()
        assert await asyncio.to_thread(served.process.wait, WITHIN) == 0
        assert not served.socket.exists()


async def test_sigterm_refuses_what_does_not_end_in_time(kind: str) -> None:
    async with serving(kind, "--drain", "0.3", "--deadline", "30") as served:
        client, config = served.client(), kong_config(kind, {})
        await client.handle_event(config, "access", request())
        asked, pdk = begun("hang")
        running = asyncio.create_task(client.handle_event(config, "access", pdk))
        await asked.wait()
        served.process.terminate()
        answer = await running
        assert isinstance(answer, Exited)
        assert answer.status == 503


async def test_sigterm_waits_for_what_kong_is_still_asked(kind: str) -> None:
    async with serving(kind) as served:

        async def answer_late(_: str) -> None:
            served.process.terminate()
            await asyncio.sleep(1.0)

        await served.run(request())
        assert await served.run(request() | {"kong.request.get_header": answer_late}) == Finished()
        assert await asyncio.to_thread(served.process.wait, WITHIN) == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_reload_under_load_loses_no_request(kind: str, workers: int) -> None:
    async with serving(kind, "--workers", str(workers)) as served:
        await served.run(request())
        before = {worker.pid for worker in served.workers()}
        results: list[Finished | Exited | Exception] = []
        enough = asyncio.Event()
        load = asyncio.create_task(repeat(served, results, enough))
        await until(lambda: len(results) > 50)
        served.process.send_signal(signal.SIGHUP)
        await until(lambda: before.isdisjoint({worker.pid for worker in served.workers()}))
        since = len(results)
        await until(lambda: len(results) > since + 50)
        enough.set()
        await load
        assert set(map(repr, results)) == {repr(Finished())}


async def test_a_command_that_came_with_the_last_confirmation_is_carried_out_by_a_worker_that_goes(
    kind: str,
) -> None:
    async with serving(kind) as served:
        instance = await served.client().start_instance(kind, kong_config(kind, {"greeting": "here"}))
        spare, wire = await served.wire(), await served.wire()
        await wire.write(event(instance))
        await answered(wire)
        served.process.terminate()
        with pytest.raises(EOFError):  # it goes: whoever is idle is told
            await spare.read()
        await wire.write(b"", event(instance))  # Kong's confirmation, and its next request
        await answered(wire)
        await wire.write(b"")
        with pytest.raises(EOFError):
            await wire.read()


async def test_an_instance_is_known_in_every_worker() -> None:
    async with serving("trial", "--workers", "3") as served:
        starter = served.client()
        instance = await starter.start_instance("trial", kong_config("trial", {"greeting": "here"}))
        wires = [await served.wire() for _ in range(24)]
        await asyncio.gather(*(event_on(wire, instance) for wire in wires))


async def event_on(wire: Wire, instance: int) -> None:
    await wire.write(event(instance))
    await answered(wire)
    await wire.write(b"")
    wire.close()


def event(instance: int) -> bytes:
    return tagged_integer(1, 9) + tagged(36, tagged_integer(1, instance) + tagged(2, b"access"))


async def answered(wire: Wire) -> None:
    """All that the plugin says in an event; its last statement is still to be confirmed."""
    assert await wire.read() == b"kong.request.get_header"
    await wire.read()
    await wire.write(b"")
    assert await wire.read() == b"kong.service.request.set_header"
    assert b"here" in await wire.read()
    assert await wire.read() == b""
    assert integer_field(await wire.read(), 1) == 9


async def test_an_instance_id_of_another_life_is_not_served_with_another_configuration() -> None:
    async with serving("trial") as first:
        old = await first.client().start_instance("trial", kong_config("trial", {"greeting": "one"}))
    async with serving("trial") as second:
        assert await second.client().start_instance("trial", kong_config("trial", {"greeting": "two"})) != old
        wire = await second.wire()
        await wire.write(tagged_integer(1, 2) + tagged(36, tagged_integer(1, old) + tagged(2, b"access")))
        with pytest.raises(EOFError):
            await wire.read()


async def test_a_refused_configuration_closes_the_connection_and_the_log_names_the_field() -> None:
    async with serving("trial") as served:
        with pytest.raises(PluginServerError):
            await served.run(request(), own={"greeting": 7})
        assert "greeting: expected a string" in served.log.read_text()
        assert await served.run(request()) == Finished()


async def test_a_closed_instance_is_started_again_when_it_is_used() -> None:
    async with serving("trial") as served:
        client, config = served.client(), kong_config("trial", {})
        instance = await client.start_instance("trial", config)
        await client.close_instance(instance)
        assert await client.handle_event(config, "access", request()) == Finished()


async def test_a_plugin_whose_background_work_broke_is_started_again() -> None:
    async with serving("trial") as served:
        client, config = served.client(), kong_config("trial", {"fails_after": 1.0})
        assert await client.handle_event(config, "access", request()) == Finished()
        await until(lambda: "the background work broke" in served.log.read_text())
        assert await client.handle_event(config, "access", request()) == Finished()


async def test_a_worker_whose_event_loop_is_blocked_leaves_the_other_serving() -> None:
    async with serving("trial", "--workers", "2") as served:
        client, config = served.client(read_timeout=0.5), kong_config("trial", {})
        await served.client().handle_event(config, "access", request())
        asked, pdk = begun("block")
        with pytest.raises(PluginServerError):
            await client.handle_event(config, "access", pdk)
        assert asked.is_set()
        answered = 0
        for _ in range(10):
            answered += await served.client().handle_event(config, "access", request()) == Finished()
        assert answered == 10


async def test_a_stopped_server_lets_nothing_pass() -> None:
    async with serving("trial") as served:
        hasty, patient, config = served.client(read_timeout=0.5), served.client(), kong_config("trial", {})
        await patient.handle_event(config, "access", request())
        (worker,) = served.workers()
        worker.suspend()
        with pytest.raises(PluginServerError):
            await hasty.handle_event(config, "access", request())
        worker.resume()
        assert await patient.handle_event(config, "access", request()) == Finished()


async def test_health_and_metrics_tell_of_all_workers(kind: str) -> None:
    port = free_port()
    async with serving(kind, "--workers", "2", "--metrics-port", str(port)) as served:
        for _ in range(8):
            await served.run(request())
        await served.run(request(x_do="raise"))
        health = await asyncio.to_thread(read_url, f"http://127.0.0.1:{port}/health")
        assert json.loads(health)["status"] == "ok"
        events = f'kong_plugin_events_total{{plugin="{kind}",phase="access",outcome='
        told = {
            f'{events}"returned"}} 8',
            f'{events}"failed"}} 1',
            f'kong_plugin_event_seconds_count{{plugin="{kind}",phase="access"}} 9',
        }

        async def all_told() -> bool:
            metrics = await asyncio.to_thread(read_url, f"http://127.0.0.1:{port}/metrics")
            return told <= set(metrics.splitlines())

        await until(all_told)  # an event may be answered before it is counted


def read_url(url: str) -> str:
    with urllib.request.urlopen(url, timeout=WITHIN) as response:
        text: str = response.read().decode()
    return text


async def test_ten_thousand_random_and_truncated_inputs_end_their_connection_only(kind: str) -> None:
    chance = random.Random(3)
    async with serving(kind, "--max-frame", "65536") as served:
        client, config = served.client(), kong_config(kind, {})
        instance = await client.start_instance(kind, config)
        good = tagged_integer(1, 5) + tagged(36, tagged_integer(1, instance) + tagged(2, b"access"))
        framed = len(good).to_bytes(4, "little") + good
        (worker,) = served.workers()
        for number in range(10_000):
            match number % 4:
                case 0:
                    data = chance.randbytes(chance.randrange(1, 64))
                case 1:
                    data = framed[: chance.randrange(1, len(framed))]
                case 2:
                    noise = chance.randbytes(chance.randrange(1, 32))
                    data = len(noise).to_bytes(4, "little") + noise
                case _:
                    flipped = bytearray(framed)
                    flipped[chance.randrange(4, len(flipped))] ^= 1 << chance.randrange(8)
                    data = bytes(flipped)
            wire = await served.wire()
            await wire.write_raw(data)
            wire.close()
            if number % 1000 == 0:
                assert await client.handle_event(config, "access", request()) == Finished()
        assert await client.handle_event(config, "access", request()) == Finished()
        assert served.workers() == [worker]


async def test_a_flood_of_connections_leaves_room_for_kong() -> None:
    async with serving("trial", "--max-connections", "60", "--max-events", "40") as served:
        client, config = served.client(), kong_config("trial", {})
        await client.handle_event(config, "access", request())
        idle = [await served.wire() for _ in range(300)]
        assert await client.handle_event(config, "access", request()) == Finished()
        # Whoever connects now comes after all of them.
        assert await served.client().handle_event(config, "access", request()) == Finished()
        (worker,) = served.workers()
        await until(lambda: worker.num_fds() < 120)
        for wire in idle:
            wire.close()


async def test_a_connection_makes_no_room_while_kong_still_has_to_confirm_the_end_of_its_event(
    kind: str,
) -> None:
    async with serving(kind, "--max-connections", "2", "--max-events", "1") as served:

        async def confirm_late(*_given: object) -> None:
            # The phase is over, and the plugin server has said so.
            for _number in range(8):
                await served.wire()
            await asyncio.sleep(0.3)

        pdk = request() | {"kong.service.request.set_header": confirm_late}
        assert await served.run(pdk) == Finished()


@pytest.mark.parametrize("stop", ["terminate", "reload"])
async def test_a_worker_that_leaves_waits_for_kong_to_confirm_the_end_of_an_event(
    kind: str, stop: str
) -> None:
    async with serving(kind) as served:

        async def confirm_late(*_: object) -> None:
            served.process.send_signal(signal.SIGTERM if stop == "terminate" else signal.SIGHUP)
            await asyncio.sleep(2.0)

        pdk = request() | {"kong.service.request.set_header": confirm_late}
        assert await served.run(pdk) == Finished()
        if stop == "terminate":
            assert await asyncio.to_thread(served.process.wait, WITHIN) == 0


async def test_an_answer_over_the_limit_of_a_frame_refuses_the_request(kind: str) -> None:
    async with serving(kind, "--max-frame", "65536") as served:
        pdk = request(x_do="gather")
        pdk["kong.request.get_raw_body"] = lambda: bytes(1_000_000)
        answer = await served.run(pdk)
        assert isinstance(answer, Exited)
        assert answer.status == 500
        assert await served.run(request()) == Finished()


async def test_an_answer_over_the_limit_to_the_first_question_refuses_the_request(kind: str) -> None:
    async with serving(kind, "--max-frame", "65536") as served:
        pdk = request() | {"kong.request.get_header": lambda _: "x" * 1_000_000}
        answer = await served.run(pdk)
        assert isinstance(answer, Exited)
        assert answer.status == 500
        assert await served.run(request()) == Finished()


async def test_the_runtime_answers_what_it_is_asked_about_its_plugin() -> None:
    async with serving("trial") as served:
        wire = await served.wire()
        await wire.write(tagged_integer(1, 3) + tagged(31, b""))
        names = await wire.read()
        assert bytes_field(bytes_field(names, 31) or b"", 1) == b"trial"
        await wire.write(tagged_integer(1, 4) + tagged(32, tagged(1, b"trial")))
        info = bytes_field(await wire.read(), 32) or b""
        assert bytes_field(info, 5) == b"1.2.3"
        assert json.loads(bytes_field(info, 7) or b"")["name"] == "trial"
        wire.close()


def test_dump_prints_what_kong_reads_and_an_unknown_plugin_is_named() -> None:
    command = [sys.executable, "-m", "tests.protocol.trial_plugins"]
    dump = subprocess.run(
        [*command, "trial", "--dump"], capture_output=True, text=True, timeout=120, check=True
    )
    assert json.loads(dump.stdout)["Plugins"][0]["Name"] == "trial"
    unknown = subprocess.run(
        [*command, "nobody", "--dump"], capture_output=True, text=True, timeout=120, check=False
    )
    assert unknown.returncode == 1
    assert "no plugin nobody" in unknown.stderr
