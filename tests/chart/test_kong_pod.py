"""Kong's pod as the chart renders it, its containers run by Docker: stock Kong, native sidecars, the same restrictions.

What Kubernetes does between them is done here in its order: sidecars, each startup probe, then Kong; Kong ends first.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from devstack.throwaway import temporary_directory
from tests.chart.charts import MINIMAL, Object, merged, of_kind, pods, render

pytestmark = [pytest.mark.docker, pytest.mark.timeout(240)]
TAG = os.environ.get("GATEHOUSE_TAG", "dev")
GROUP = 10001


def docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert not check or done.returncode == 0, f"docker {arguments[:3]}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture
def objects() -> list[Object]:
    found = render(merged(MINIMAL, {"images": {"tag": TAG, "registry": ""}, "kong": {"workers": 1}}))
    try:
        here = docker("images", "--format", "{{.Repository}}:{{.Tag}}", check=False)
    except (OSError, subprocess.TimeoutExpired):
        pytest.skip("no Docker engine answers")
    pod = pods(found)["kong"]
    for container in pod["initContainers"]:
        container["image"] = f"localhost/{container['image']}"
    wanted = [container["image"] for container in (*pod["initContainers"], *pod["containers"])]
    missing = [image for image in wanted if image not in here.split()]
    if missing:
        pytest.skip(f"not on this machine: {', '.join(missing)} (make images)")
    if os.geteuid() != 0:
        pytest.skip("volumes get their group as Kubernetes gives it by root alone")
    return found


class Pod:
    """Its containers share a network, volumes as Kubernetes makes them, and no right that the chart does not give."""

    def __init__(self, objects: list[Object], directory: Path) -> None:
        self.specification = pods(objects)["kong"]
        self._name = f"chart-{uuid4().hex[:8]}"
        self._directory = directory
        self._files = of_kind(objects, "ConfigMap")["kong"]["data"]
        self._volumes = {volume["name"]: self._volume(volume) for volume in self.specification["volumes"]}

    def _volume(self, volume: Object) -> Path:
        path = self._directory / str(volume["name"])
        path.mkdir()
        group = self.specification["securityContext"]["fsGroup"]
        if "emptyDir" in volume:
            os.chown(path, 0, group)
            path.chmod(0o2777)
        for item in (volume.get("secret") or volume.get("configMap") or {}).get("items", []):
            file = path / item["path"]
            file.parent.mkdir(exist_ok=True)
            file.write_text(self._files.get(item["key"], "of-the-test"), encoding="utf-8")
            os.chown(file, 0, group)
            file.chmod(0o440 if "secret" in volume else 0o444)
        return path

    def begin(self) -> None:
        docker(
            "run",
            "--detach",
            "--name",
            self._name,
            "--entrypoint",
            "sleep",
            self.specification["initContainers"][0]["image"],
            "600",
        )

    def start(self, container: Object) -> None:
        security = container["securityContext"]
        options = [
            f"--user={security['runAsUser']}:{security['runAsGroup']}",
            f"--group-add={GROUP}",
            "--cap-drop=ALL",
        ]
        options += [
            "--read-only",
            "--security-opt=no-new-privileges",
            f"--memory={container['resources']['limits']['memory'].replace('Mi', 'm')}",
        ]
        for each in container["env"]:
            options += ["--env", f"{each['name']}={each['value']}"]
        for mount in container["volumeMounts"]:
            mode = ":ro" if mount.get("readOnly") else ""
            options += ["--volume", f"{self._volumes[mount['name']]}:{mount['mountPath']}{mode}"]
        program, *arguments = container["command"]
        docker(
            "run", "--detach", "--name", self.name(container), f"--network=container:{self._name}", *options,
            "--entrypoint", program, container["image"], *arguments,
        )  # fmt: skip
        self._await(container)

    def name(self, container: Object) -> str:
        return f"{self._name}-{container['name']}"

    def _await(self, container: Object) -> None:
        """As its startup probe does."""
        probe = container["startupProbe"]["httpGet"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        url = f"http://127.0.0.1:{ports.get(probe['port'], probe['port'])}{probe['path']}"
        give_up = time.monotonic() + 90
        while (answer := self.ask(url)) != "":
            running = (
                docker("inspect", "--format", "{{.State.Running}}", self.name(container)).strip() == "true"
            )
            assert running and time.monotonic() < give_up, answer + docker("logs", self.name(container))
            time.sleep(0.2)

    def ask(self, *urls: str) -> str:
        """Nothing where each answers 2xx; else why not."""
        script = ["python", "-I", "-S", "/usr/local/bin/healthcheck.py", *urls]
        return docker("exec", self._name, *script, check=False)

    def answer(self, path: str) -> tuple[int, Object]:
        """Kong's on its proxy port."""
        script = (
            "import http.client, json, sys; c = http.client.HTTPConnection('127.0.0.1', 8000); "
            "c.request('GET', sys.argv[1]); a = c.getresponse(); print(json.dumps([a.status, a.read().decode()]))"
        )
        status, body = json.loads(docker("exec", self._name, "python", "-c", script, path))
        return status, json.loads(body)

    def stop(self, container: Object, seconds: int) -> int:
        """Its exit status, after the image's own stop signal."""
        docker("stop", "--time", str(seconds), self.name(container))
        return int(docker("inspect", "--format", "{{.State.ExitCode}}", self.name(container)).strip())

    def end(self) -> None:
        every = [
            self.name(each)
            for each in (*self.specification["initContainers"], *self.specification["containers"])
        ]
        docker("rm", "--force", "--volumes", *every, self._name, check=False)


@contextmanager
def pod_of(objects: list[Object]) -> Iterator[Pod]:
    with temporary_directory() as directory:
        directory.chmod(0o755)
        pod = Pod(objects, directory)
        try:
            pod.begin()
            yield pod
        finally:
            pod.end()


def test_kong_starts_after_its_plugin_servers_asks_them_and_ends_before_them(objects: list[Object]) -> None:
    with pod_of(objects) as pod:
        for sidecar in pod.specification["initContainers"]:
            pod.start(sidecar)
        (kong,) = pod.specification["containers"]
        pod.start(kong)
        assert pod.ask("http://127.0.0.1:8100/status", "http://127.0.0.1:8100/status/ready") == ""
        # token-validator has answered: there is a route, and no token.
        status, problem = pod.answer("/api/me")
        assert (status, problem["type"]) == (401, "/problems/token-missing")
        assert pod.stop(kong, 20) == 0
        for sidecar in pod.specification["initContainers"]:
            assert pod.stop(sidecar, 10) == 0
