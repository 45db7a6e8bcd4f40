"""kong/reload.sh and the fall back of kong/entrypoint.sh, with the stand-in as the gateway."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from devstack.settings import ROOT
from devstack.throwaway import free_ports, temporary_directory

TEMPLATE = """_format_version: "3.0"
services:
  - name: nowhere
    url: "${NOWHERE_URL}"
    routes:
      - name: only
        paths: [/here]
"""


class Place:
    """A directory with a template; the gateway that is started there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port, self.admin = free_ports(2)
        self.template = directory / "kong.yml.template"
        self.template.write_text(TEMPLATE)
        self.log = directory / "log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "NOWHERE_URL": "http://127.0.0.1:9",
            "KONG_TEMPLATE": str(self.template),
            "KONG_DECLARATIVE_CONFIG": str(directory / "kong.yml"),
            "KONG_PLUGINSERVER_NAMES": "none",
            "KONG_PLUGINSERVER_NONE_SOCKET": str(directory / "none.socket"),
            "KONG_PLUGINSERVER_NONE_QUERY_CMD": f"cat {directory / 'none.json'}",
            "KONG_PLUGINS_DIR": str(directory),
            "KONG_CONTROL_DIR": str(directory / "control"),
            "KONG_STATE_DIR": str(directory / "state"),
            "KONG_PROXY_LISTEN": f"127.0.0.1:{self.port}",
            "KONG_ADMIN_LISTEN": f"127.0.0.1:{self.admin}",
            "KONG_FALLBACK_REMIND_SECONDS": "1",
            "TMPDIR": str(directory),
        }
        dump = '{"Protocol": "ProtoBuf:1", "Plugins": [{"Name": "none", "Phases": [], "Priority": 1, "Schema": {}}]}'
        (directory / "none.json").write_text(dump)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(directory / "none.socket"))

    def routed(self, path: str) -> bool:
        """Whether a route takes the path (502, as its upstream is not there). False while nothing listens."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}").status_code != 404
        except httpx.ConnectError:
            return False

    def reload(self, *arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        return self._run("reload.sh", *arguments, typed=typed)

    def reloading(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["sh", str(ROOT / "kong" / "reload.sh")],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def health(self) -> subprocess.CompletedProcess[str]:
        return self._run("health.sh")

    def _run(
        self, script: str, *arguments: str, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(ROOT / "kong" / script), *arguments],
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                ["sh", str(ROOT / "kong" / "entrypoint.sh"), sys.executable, "-m", "devstack.gateway"],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)


def until(condition: Callable[[], bool], place: Place) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up, place.log.read_text()
        time.sleep(0.05)


@pytest.fixture
def place() -> Iterator[Place]:
    with temporary_directory() as directory:
        yield Place(directory)


def test_a_good_edit_is_in_force_when_it_says_so_and_a_bad_one_changes_nothing(place: Place) -> None:
    with place.started():
        until(lambda: place.routed("/here"), place)
        rendered = place.directory / "kong.yml"

        place.template.write_text(TEMPLATE.replace("/here", "/there"))
        reloaded = place.reload()
        assert (reloaded.returncode, reloaded.stderr) == (0, "")
        assert f"{place.template} is in force" in reloaded.stdout
        assert "tried without signing in: 502 (1)" in reloaded.stdout
        assert place.routed("/there") and not place.routed("/here")
        in_force = rendered.read_text()

        for right, wrong, said in [
            ("        paths:", "        path:", ":7: route only: unknown field: path"),
            ("      - name: only", "     - name: [only", "expected"),
            ("${NOWHERE_URL}", "${ELSEWHERE_URL}", ":4: the variable ELSEWHERE_URL is not set"),
            (
                "services:",
                "plugins: [{name: token-validatr}]\nservices:",
                ":2: there is no plugin token-validatr",
            ),
        ]:
            place.template.write_text(TEMPLATE.replace(right, wrong))
            refused = place.reload()
            assert refused.returncode == 1
            assert f"{place.template}:" in refused.stderr
            assert said in refused.stderr
            assert "Nothing was changed." in refused.stderr
            assert rendered.read_text() == in_force
            assert place.routed("/there")


# Lua that compiles, on line 9 of the template, and fails there once it runs.
FAILING = {
    "load": ("access", "local most = nothing.here", "attempt to index global 'nothing' (a nil value)"),
    "rewrite": ("rewrite", "return kong.request.got_headers()", "attempt to call field 'got_headers'"),
    "access": ("access", "return kong.router.got_service()", "attempt to call field 'got_service'"),
    "header_filter": (
        "header_filter",
        "kong.response.sat_header('a', 'b')",
        "attempt to call field 'sat_header'",
    ),
    "body_filter": ("body_filter", "return nobody()", "attempt to call global 'nobody'"),
    "log": ("log", "return nobody()", "attempt to call global 'nobody'"),
}


def with_function(phase: str, line: str) -> str:
    function = f"""_format_version: "3.0"
# before the services
plugins:
  - name: pre-function
    config:
      {phase}:
        - |
          -- what it is for
          {line}
"""
    return TEMPLATE.replace('_format_version: "3.0"\n', function)


@pytest.mark.parametrize("where", FAILING)
def test_an_edit_whose_lua_fails_is_put_back_with_its_line(place: Place, where: str) -> None:
    phase, line, said = FAILING[where]
    with place.started():
        until(lambda: place.routed("/here"), place)
        rendered = (place.directory / "kong.yml").read_text()
        place.template.write_text(with_function(phase, line))
        refused = place.reload()
        assert refused.returncode == 1
        assert f"{place.template}:9: {said}" in refused.stderr
        assert "The former configuration is in force again." in refused.stderr
        assert (place.directory / "kong.yml").read_text() == rendered
        assert httpx.get(f"http://127.0.0.1:{place.port}/nowhere").status_code == 404

        place.template.write_text(with_function(phase, "return nil"))
        assert place.reload().returncode == 0


def test_a_file_with_nothing_in_it_is_put_back(place: Place) -> None:
    with place.started():
        until(lambda: place.routed("/here"), place)
        place.template.write_text('_format_version: "3.0"\n')
        refused = place.reload()
        assert refused.returncode == 1
        assert f"{place.template} has no services" in refused.stderr
        assert place.routed("/here")


@pytest.mark.parametrize("edited", [with_function("access", "nothing.here()"), '_format_version: "3.0"\n'])
def test_a_restart_with_a_file_that_does_not_work_goes_on_with_the_last_good_one(
    place: Place, edited: str
) -> None:
    with place.started():
        until((place.directory / "state" / "kong.yml").exists, place)
    place.template.write_text(edited)
    with place.started():
        until(lambda: "FALLBACK: Kong goes on with the last configuration" in place.log.read_text(), place)
        until(lambda: place.routed("/here"), place)
        said = place.log.read_text()
        assert f"Kong took {place.template}, and it does not work" in said
        assert f"{place.template}:9: attempt to index global" in said or "it has no services" in said
        assert "/here" in (place.directory / "kong.yml").read_text()


def test_a_first_start_with_a_file_that_does_not_work_says_so_again_and_is_not_healthy(place: Place) -> None:
    place.template.write_text(with_function("access", "nothing.here()"))
    with place.started():
        until(lambda: place.log.read_text().count("BROKEN: Kong took ") >= 2, place)
        assert f"{place.template}:9: attempt to index global 'nothing'" in place.log.read_text()
        assert place.health().returncode == 1
        assert not (place.directory / "state" / "kong.yml").exists()
        place.template.write_text(TEMPLATE)
        assert place.reload().returncode == 0
        assert place.health().returncode == 0


@pytest.mark.parametrize(
    "route",
    [
        "{name: by-host, hosts: [shop.example], paths: [/there]}",
        "{name: by-method, methods: [POST], paths: [/there]}",
        '{name: by-pattern, paths: ["~/there/[0-9]+$"]}',
    ],
)
def test_routes_that_cannot_be_tried_are_taken_all_the_same(place: Place, route: str) -> None:
    with place.started():
        until(lambda: place.routed("/here"), place)
        old = "      - name: only\n        paths: [/here]\n"
        assert old in TEMPLATE
        place.template.write_text(TEMPLATE.replace(old, f"      - {route}\n"))
        taken = place.reload()
        assert (taken.returncode, place.routed("/here")) == (0, False), taken.stderr


def shell(place: Place, function: str, *files: str) -> str:
    """What a function of kong/trial.sh prints of such files of answers."""
    names = []
    for number, text in enumerate(files):
        names.append(place.directory / f"answers-{number}")
        names[-1].write_text(text)
    script = '. "$0/trial.sh"; failure=/nowhere; "$@"'
    command = ["sh", "-euc", script, str(ROOT / "kong"), function, *map(str, names)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_judges_what_an_edit_is_to_blame_for(place: Place) -> None:
    before = "routes 3 -\ntoken 401 /a\nopen 500 /b\nopen 200 /c\nnone 404 /n\n"
    assert shell(place, "judged", before, before) == ""
    assert shell(place, "judged", before, "token 401 /a\nopen 500 /b\nopen 503 /c\nnone 404 /n\n") == ""
    assert "GET /a: 500 (401 before)" in shell(place, "judged", before, before.replace("401", "500"))
    assert shell(place, "judged", before, before.replace("200", "0")) == ""  # its upstream may hang
    assert "GET /a: no answer (401 before)" in shell(place, "judged", before, before.replace("401", "0"))
    assert "GET /n: 500\n" in shell(place, "judged", "", before.replace("404", "500"))
    opened = shell(place, "judged", before, before.replace("401", "200"))
    assert "GET /a: 200 without a token, though its route has token-validator" in opened
    assert shell(place, "judged", before, "routes 1 -\nnone 404 /n\n") == ""  # one that cannot be asked
    assert "it has no route" in shell(place, "judged", before, "routes 0 -\nnone 404 /n\n")
    assert shell(place, "judged", before, "functions 1 -\n" + before) == ""
    assert "there, and no pre-function" in shell(place, "judged", before, "functions 0 -\n" + before)


def test_an_interrupted_edit_is_not_left_in_force(place: Place) -> None:
    with place.started():
        until(lambda: place.routed("/here"), place)
        place.template.write_text(TEMPLATE.replace("/here", "/there"))
        reloading = place.reloading()
        until(lambda: place.routed("/there"), place)
        reloading.terminate()
        assert reloading.wait(timeout=60) == 130
        assert place.routed("/here") and not place.routed("/there")
        assert "/here" in (place.directory / "kong.yml").read_text()


def test_tells_that_no_route_could_be_tried(place: Place) -> None:
    assert "no route could be tried" in shell(place, "told", "", "")


def test_tells_which_routes_an_edit_has_opened(place: Place) -> None:
    before = "routes 3 -\ntoken 401 /a\ntoken 401 /b\nopen 200 /c\nnone 404 /n\n"
    told = shell(place, "told", before, before.replace("token 401 /a", "open 200 /a")).splitlines()
    assert told == [
        "GET /a needed a token before; now it gets 200 without one",
        "tried without signing in: 200 (2), 401 (1)",
    ]


def test_tells_where_the_gateway_looks_at_no_token_any_more_and_where_it_never_did(place: Place) -> None:
    before = "routes 3 -\nfunctions 1 -\ntoken 401 /a\nopen 200 /c\nnone 404 /n\n"
    after = before.replace("token 401 /a", "open 401 /a") + "open 404 /d\n"
    assert shell(place, "told", before, after).splitlines() == [
        "GET /a needed a token of token-validator before; now its service alone looks at one",
        "GET /d is new, and needs no token of token-validator: it gets 404",
        "tried without signing in: 200 (1), 401 (1), 404 (1)",
    ]
    assert "new" not in shell(place, "told", "", after)


def test_tells_where_a_function_takes_the_place_of_the_one_for_every_request(place: Place) -> None:
    before = "routes 3 -\nfunctions 1 -\ntoken 401 /a\nnone 404 /n\n"
    after = before.replace("token", "replaced 0 pre-function\ntoken")
    told = shell(place, "told", before, after)
    assert (
        "a pre-function of one route or service: Kong runs it there in place of the one for every request"
        in told
    )
    assert shell(place, "judged", before, after) == ""
    assert "in place" not in shell(place, "told", after, after)


def test_tells_of_open_routes_that_it_cannot_ask(place: Place) -> None:
    before = "routes 3 -\ntoken 401 /a\nunasked 0 sign-in\n"
    after = before + "unasked 0 upload\n"
    assert shell(place, "judged", before, after) == ""
    assert shell(place, "told", before, after).splitlines() == [
        "the route upload needs no token of token-validator now, and was not asked: it takes no plain GET",
        "tried without signing in: 401 (1)",
    ]


def test_an_open_route_that_takes_no_get_is_told_of(place: Place) -> None:
    with place.started():
        until(lambda: place.routed("/here"), place)
        place.template.write_text(
            TEMPLATE + "      - name: upload\n        methods: [POST]\n        paths: [/upload]\n"
        )
        reloaded = place.reload()
        assert "the route upload needs no token of token-validator now" in reloaded.stdout


def test_the_template_may_come_through_standard_input(place: Place) -> None:
    with place.started():
        until(lambda: place.routed("/here"), place)
        assert place.reload("-", typed=TEMPLATE.replace("/here", "/typed")).returncode == 0
        assert place.routed("/typed")
        refused = place.reload("-", typed=TEMPLATE.replace("paths", "pahts"))
        assert "kong.yml.template:7: " in refused.stderr
        assert str(place.directory / "kong.yml.reloading") not in refused.stderr


def test_says_that_nothing_runs(place: Place) -> None:
    refused = place.reload()
    assert refused.returncode == 1
    assert "Kong does not answer" in refused.stderr


@pytest.mark.parametrize("wrong", ["${ELSEWHERE_URL}", '"\n    pott: 80\n    x: "'])
def test_a_restart_with_a_bad_file_goes_on_with_the_last_good_one_and_says_so_again(
    place: Place, wrong: str
) -> None:
    with place.started():
        until((place.directory / "state" / "kong.yml").exists, place)
    place.template.write_text(TEMPLATE.replace("${NOWHERE_URL}", wrong))
    with place.started():
        until(lambda: place.routed("/here"), place)
        until(
            lambda: place.log.read_text().count("FALLBACK: Kong runs on an older configuration") >= 2, place
        )
        assert f"{place.template}:" in place.log.read_text()
        place.template.write_text(TEMPLATE.replace("/here", "/mended"))
        assert place.reload().returncode == 0
        assert place.routed("/mended")
        assert not (place.directory / "kong.yml.fallback").exists()


def test_a_restart_with_a_good_edit_takes_it_and_ends_when_it_is_told_to(place: Place) -> None:
    with place.started():
        until((place.directory / "state" / "kong.yml").exists, place)
    place.template.write_text(TEMPLATE.replace("/here", "/there"))
    with place.started() as process:
        until(lambda: place.routed("/there"), place)
        until(lambda: "/there" in (place.directory / "state" / "kong.yml").read_text(), place)
        # Once in many runs on a busy machine the first signal is not heard; whoever stops a container sends another.
        for _ in range(4):
            process.send_signal(signal.SIGQUIT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
                break
        assert process.poll() is not None
    assert not place.routed("/there")


def test_a_first_start_with_a_bad_file_stops_with_its_line(place: Place) -> None:
    place.template.write_text(TEMPLATE.replace("paths", "pahts"))
    with place.started() as process:
        assert process.wait(30) == 1
    assert f"{place.template}:7: route only: unknown field: pahts" in place.log.read_text()


def test_what_is_kept_is_for_its_owner_alone(place: Place) -> None:
    with place.started():
        until((place.directory / "state" / "kong.yml").exists, place)
        for path in ("state", "state/kong.yml", "control"):
            assert (place.directory / path).stat().st_mode & 0o077 == 0, path


# Kong 3.9.3's own words of POST /config, and of its start.
ANSWER = (
    '{"code":14,"name":"invalid declarative configuration","fields":{"services":[null,{"plugins":[{"config":'
    '{"isuer":"unknown field"}}],"routes":{"2":{"strip_pat":"unknown field"}}}]},"message":"..."}'
)
REASON = """\
in 'services':
  - in entry 2 of 'services':
    in 'plugins':
      - in entry 1 of 'plugins':
        in 'config':
          in 'isuer': unknown field
    in 'routes':
      - in entry 2 of 'routes':
        in 'strip_pat': unknown field
"""
DOCUMENT = """_format_version: "3.0"
services:
  - name: one
    plugins:
      - &validator
        name: token-validator
        # a remark
        config:
          isuer: here
    routes: [{name: a, paths: [/a]}]

  - name: two
    plugins:
      - *validator
    routes:
      - name: b
        paths: [/b]
      - name: c
        strip_pat: false
"""


@pytest.mark.skipif(shutil.which("awk") is None, reason="no awk on this machine")
def test_kongs_path_of_entries_becomes_a_line(tmp_path: Path) -> None:
    file = tmp_path / "kong.yml"
    file.write_text(DOCUMENT)
    reason = subprocess.run(
        ["awk", "-f", str(ROOT / "kong" / "reason.awk")],
        input=ANSWER,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert reason == REASON
    located = subprocess.run(
        ["awk", "-f", str(ROOT / "kong" / "locate.awk"), "-", str(file)],
        env={**os.environ, "TEMPLATE": "T"},
        input=reason,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert located.splitlines() == [
        "T:9: services 2: plugins 1: config: isuer: unknown field",
        "T:19: services 2: routes 2: strip_pat: unknown field",
    ]


def test_of_two_that_are_named_alike_the_last_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "kong.yml"
    file.write_text(DOCUMENT.replace("name: c", "name: b"))
    violation = "uniqueness violation: 'routes' entity with name set to 'b' already declared"
    reason = f"in 'routes':\n  - in entry 1 of 'routes': {violation}\n"
    located = subprocess.run(
        ["awk", "-f", str(ROOT / "kong" / "locate.awk"), "-", str(file)],
        env={**os.environ, "TEMPLATE": "T"},
        input=reason,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert located.startswith("T:18: routes 1: uniqueness violation")
