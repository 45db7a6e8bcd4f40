"""A real nginx or Varnish before the front, with the files of deploy/cdn, where Debian's packages are installed."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from devstack.settings import ROOT
from devstack.throwaway import free_port, temporary_directory

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
KINDS = ("nginx", "varnish")
START_DEADLINE_S = 30.0

_NGINX = """
daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    include {directory}/cdn.conf;
}}
"""


@contextmanager
def running(kind: str, origin_port: int) -> Iterator[str]:
    """The URL of one whose origin is on `origin_port` of this machine. Skips where it is not installed."""
    program = shutil.which({"nginx": "nginx", "varnish": "varnishd"}[kind], path=PATH)
    if program is None:
        pytest.skip(f"{kind} is not installed: apt-get install {kind}")
    port = free_port()
    with temporary_directory() as directory:
        command = {"nginx": _nginx, "varnish": _varnish}[kind](program, directory, port, origin_port)
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _until_it_answers(process, port, directory)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _nginx(program: str, directory: Path, port: int, origin: int) -> list[str]:
    text = _with_origin("nginx.conf", "127.0.0.1:3000", f"127.0.0.1:{origin}")
    for former, here in (
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("/var/cache/nginx/shop", f"{directory}/kept"),
    ):
        assert former in text
        text = text.replace(former, here)
    (directory / "cdn.conf").write_text(text, encoding="utf-8")
    (directory / "nginx.conf").write_text(_NGINX.format(directory=directory), encoding="utf-8")
    return [
        program,
        "-e",
        f"{directory}/error.log",
        "-p",
        str(directory),
        "-c",
        str(directory / "nginx.conf"),
    ]


def _varnish(program: str, directory: Path, port: int, origin: int) -> list[str]:
    text = _with_origin("varnish.vcl", '.port = "3000"', f'.port = "{origin}"')
    (directory / "shop.vcl").write_text(text, encoding="utf-8")
    storage = ["-s", "malloc,32m", "-p", "vsl_space=4M"]
    return [
        *(program, "-F", "-n", str(directory / "varnish"), "-j", "none", "-T", "none"),
        *("-a", f"127.0.0.1:{port}", "-f", str(directory / "shop.vcl"), *storage),
    ]


def _with_origin(file: str, former: str, origin: str) -> str:
    text = (ROOT / "deploy" / "cdn" / file).read_text(encoding="utf-8")
    assert former in text
    return text.replace(former, origin)


def _until_it_answers(process: "subprocess.Popen[bytes]", port: int, directory: Path) -> None:
    give_up = time.monotonic() + START_DEADLINE_S
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/").status_code == 404:
                return
        except httpx.TransportError:
            pass
        said = (directory / "log").read_text(errors="replace")
        assert process.poll() is None, said
        assert time.monotonic() < give_up, said
        time.sleep(0.05)
