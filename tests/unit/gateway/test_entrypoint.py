"""kong/entrypoint.sh: what it waits for, what it starts, what it shows of Kong's complaints."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.throwaway import temporary_directory

ENTRYPOINT = Path(__file__).parents[3] / "kong" / "entrypoint.sh"

# As Kong 3.9.3 says it when it refuses a declarative file.
REFUSAL = """\
nginx: [error] init_by_lua error: /usr/local/share/lua/5.1/kong/init.lua:660: error parsing declarative \
config file /tmp/kong.yml:
failed parsing declarative configuration: 7:3: did not find expected key
stack traceback:
\t[C]: in function 'error'
\t/usr/local/share/lua/5.1/kong/init.lua:660: in function 'init'
\tinit_by_lua(nginx-kong.conf:45):3: in main chunk
2026/11/22 19:41:29 [notice] 1#0: something after it
\tan indented line of something else
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a template, and both plugin servers' sockets and dumps."""
    with temporary_directory() as directory:
        (directory / "kong.yml.template").write_text('_format_version: "3.0"\nurl: "${BFF_URL}"\n')
        for name in ("token-validator", "response-cache", "idempotency"):
            (directory / f"{name}.json").write_text("{}")
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(directory / f"{name}.socket"))
        yield directory


def environment(place: Path, **variables: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "BFF_URL": "http://bff:3001",
        "KONG_TEMPLATE": str(place / "kong.yml.template"),
        "KONG_DECLARATIVE_CONFIG": str(place / "kong.yml"),
        "KONG_PLUGINS_DIR": str(place),
        "KONG_PLUGINS_WAIT": "1",
        "TMPDIR": str(place),
        **variables,
    }


def start(place: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(ENTRYPOINT), *command],
        env=environment(place, **variables),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_becomes_the_command_with_the_file_rendered_and_kongs_settings(place: Path) -> None:
    shown = start(place, "sh", "-c", 'cat "$KONG_DECLARATIVE_CONFIG"; env')
    assert shown.returncode == 0
    assert 'url: "http://bff:3001"' in shown.stdout
    assert "KONG_PLUGINS=bundled,token-validator,response-cache,idempotency" in shown.stdout
    assert f"KONG_PLUGINSERVER_TOKEN_VALIDATOR_QUERY_CMD=cat '{place}/token-validator.json'" in shown.stdout
    assert "KONG_ANONYMOUS_REPORTS=off" in shown.stdout


def test_a_setting_from_outside_wins(place: Path) -> None:
    shown = start(place, "env", KONG_PLUGINS="bundled", KONG_LOG_LEVEL="debug")
    assert "KONG_PLUGINS=bundled\n" in shown.stdout
    assert "KONG_LOG_LEVEL=debug\n" in shown.stdout


def test_an_unset_variable_stops_the_start_with_its_line(place: Path) -> None:
    template = place / "kong.yml.template"
    template.write_text('a: 1\nurl: "${NOWHERE_URL}"\n')
    refused = start(place, "echo", "started")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"{template}:2: the variable NOWHERE_URL is not set\n"


@pytest.mark.parametrize("missing", ["token-validator.json", "idempotency.socket"])
def test_a_plugin_server_that_is_not_there_stops_the_start_in_bounded_time(place: Path, missing: str) -> None:
    (place / missing).unlink()
    refused = start(place, "echo", "started")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"the plugin server {Path(missing).stem} is not there" in refused.stderr


def test_shows_kongs_reason_without_the_stack_trace_and_names_the_template(place: Path) -> None:
    (place / "refusal").write_text(REFUSAL)
    refused = start(place, "sh", "-c", f"cat {place}/refusal >&2; exit 1")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"Kong refuses {place}/kong.yml.template (rendered to {place}/kong.yml, the same lines):",
        f"{place}/kong.yml.template:7: did not find expected key",
        "2026/11/22 19:41:29 [notice] 1#0: something after it",
        "\tan indented line of something else",
    ]


# As Kong 3.9.3 says it of `plugins: [token-validator]`.
BREAKDOWN = """\
2026/11/27 15:55:08 [error] 83#0: init_by_lua error: ...are/lua/5.1/kong/db/schema/others/declarative_config.lua:679: \
attempt to index local 'item' (a string value)
nginx: [error] init_by_lua error: ...are/lua/5.1/kong/db/schema/others/declarative_config.lua:679: \
attempt to index local 'item' (a string value)
stack traceback:
\t...are/lua/5.1/kong/db/schema/others/declarative_config.lua:679: in function 'fill'
Error: /usr/local/share/lua/5.1/kong/cmd/start.lua:99: failed to start nginx (exit code: 1)
"""


def start_again(place: Path, kong: str) -> tuple[int, str]:
    """The status and the log of a start where another configuration has worked; the log's last line is "ended"."""
    (place / "state").mkdir()
    (place / "state" / "kong.yml").write_text("it worked\n")
    log = place / "log"
    with log.open("wb") as file:
        # Into a file: whoever waits for a pipe's end leaves the process, for which `attend` looks, uncollected.
        ended = subprocess.run(
            ["sh", str(ENTRYPOINT), "sh", "-c", kong],
            env=environment(place, KONG_STATE_DIR=str(place / "state")),
            stdout=file,
            stderr=file,
            timeout=60,
            check=False,
        )
    give_up = time.monotonic() + 30
    while "ended" not in log.read_text():
        assert time.monotonic() < give_up, log.read_text()
        time.sleep(0.02)
    return ended.returncode, log.read_text()


def test_goes_on_with_what_worked_where_kong_breaks_off_over_the_file_without_a_reason(place: Path) -> None:
    (place / "breakdown").write_text(BREAKDOWN)
    kong = (
        f"grep -q worked {place}/kong.yml && {{ echo ended >&2; exit 0; }}; cat {place}/breakdown >&2; exit 1"
    )
    status, said = start_again(place, kong)
    assert status == 0
    assert f"Kong breaks off over {place}/kong.yml.template and does not say where: ...are/lua" in said
    assert "FALLBACK: Kong goes on with the last configuration that worked." in said
    assert "attempt to index local 'item'" in (place / "kong.yml.fallback").read_text()


# As Kong 3.9.3 says it of settings: the first of KONG_PLUGINS=bundled,nosuch, the second of a dump that is not JSON.
SETTINGS = [
    "/usr/local/share/lua/5.1/kong/init.lua:708: error loading plugin schemas: on plugin 'nosuch': nosuch plugin is "
    "enabled but not installed;",
    "...local/share/lua/5.1/kong/runloop/plugin_servers/init.lua:37: failed loading external plugins: failed decoding "
    "plugin info: Expected value but found T_END at character 1",
]


@pytest.mark.parametrize("reason", SETTINGS)
def test_a_kong_that_breaks_off_over_its_settings_is_not_put_down_to_the_file(
    place: Path, reason: str
) -> None:
    line = f"2026/11/27 15:55:08 [error] 83#0: init_by_lua error: {reason}"
    (place / "breakdown").write_text(f"{line}\nstack traceback:\n\t[C]: in function 'assert'\nended\n")
    status, said = start_again(place, f"cat {place}/breakdown >&2; exit 1")
    assert status == 1
    assert line in said
    assert "FALLBACK" not in said
    assert "kong.yml.template" not in said


def test_a_kong_that_ends_for_another_reason_is_not_taken_for_one_that_refuses_its_file(place: Path) -> None:
    status, said = start_again(place, "echo no memory, ended >&2; exit 3")
    assert status == 3
    assert "FALLBACK" not in said


def test_shows_no_query_of_nginxs_errors(place: Path) -> None:
    """A mailed link's token is in one, and whom a shopkeeper looks for."""
    error = (
        "2026/11/27 12:50:12 [error] 83#0: *1 connect() failed (111: Connection refused) why? while connecting to "
        'upstream, client: 127.0.0.1, server: kong, request: "GET /api/orders/x%sHTTP/1.1", upstream: '
        '"http://127.0.0.1:9/api/orders/x%s", host: "shop.test", referrer: "http://shop.test/orders/x%s"'
    )
    query = "?token=s3cret&email=kim%40shop.test?again"
    (place / "errors").write_text(
        error.replace("%s", query, 1).replace("againHTTP", "again HTTP").replace("%s", query)
    )
    shown = start(place, "sh", "-c", f"cat {place}/errors >&2")
    assert shown.stderr == error.replace("%sHTTP", "?... HTTP").replace("%s", "?...") + "\n"


@pytest.mark.parametrize(
    "words",
    [
        '[string "return"]:1: attempt',
        "declarative reconfigure failed",
        "init_by_lua error: /kong/db/schema/init.lua:1: x",
        "x: error parsing declarative config file y",
    ],
)
def test_takes_nothing_that_a_client_says_for_kongs_own_words(place: Path, words: str) -> None:
    error = (
        "2026/11/27 12:50:12 [error] 83#0: *1 client intended to send too large body: 3000000 bytes, "
        f'client: 127.0.0.1, server: kong, request: "POST / HTTP/1.1", host: "shop.test", referrer: "{words}"'
    )
    (place / "errors").write_text(error)
    shown = start(place, "sh", "-c", f"cat {place}/errors >&2")
    assert shown.stderr == error + "\n"
    assert not [
        file.name
        for file in place.iterdir()
        if file.name.startswith("kong.yml.") and file.suffix != ".template"
    ]


def test_leaves_no_pipe_behind(place: Path) -> None:
    before = {entry.name for entry in place.iterdir()} | {"kong.yml", "control"}
    start(place, "true")
    assert {entry.name for entry in place.iterdir()} == before
