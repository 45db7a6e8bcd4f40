"""The command line: dump a plugin, serve a plugin, or (started by the supervisor) work."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kong.plugins.runtime import logs, supervisor
from kong.plugins.runtime.errors import PluginError, SocketRefusedError
from kong.plugins.runtime.limits import Limits


def main(package: str, arguments: Sequence[str] | None = None) -> int:
    """Run `python -m <package> ...` for the plugins in a package. Returns the process's exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(package)
    options = parser.parse_args(given)
    try:
        if options.dump:
            from kong.plugins.runtime.plugin import load  # noqa: PLC0415 - the supervisor stays without it

            sys.stdout.write(load(options.name, package).dump() + "\n")
            return 0
        if options.socket is None:
            parser.error("--socket or --dump is required")
        if options.inherited:
            return _work(package, options)
        logs.configure(options.name, options.log_level)
        command = [sys.executable, *_warning_options(), "-m", package, *given]
        return supervisor.Supervisor(_settings(options), command).run()
    except (PluginError, SocketRefusedError, OSError) as error:
        sys.stderr.write(f"{package} {options.name}: {error}\n")
        return 1


def _work(package: str, options: argparse.Namespace) -> int:
    from kong.plugins.runtime import worker  # noqa: PLC0415 - the supervisor stays without it

    numbers = [int(number) for number in options.inherited.split(",")]
    return worker.run(options.name, package, options.log_level, _limits(options), worker.Inherited(*numbers))


def _settings(options: argparse.Namespace) -> supervisor.Settings:
    port = options.metrics_port
    return supervisor.Settings(
        socket=options.socket,
        socket_mode=options.socket_mode,
        workers=options.workers,
        dump_to=options.dump_to,
        metrics_address=None if port is None else (options.metrics_host, port),
        drain=options.drain,
        take_over=options.take_over,
    )


def _limits(options: argparse.Namespace) -> Limits:
    return Limits(
        frame=options.max_frame,
        connections=options.max_connections,
        events=options.max_events,
        deadline=options.deadline,
        drain=options.drain,
    )


def _parser(package: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {package}",
        description="Serve one plugin to Kong over ProtoBuf:1.",
        epilog="SIGTERM drains and ends, SIGHUP reloads the plugin without losing a request.",
    )
    standard = Limits()
    add = parser.add_argument
    add("name", help=f"the plugin: module {package}.<name with underscores>.plugin")
    add("--dump", action="store_true", help="print what Kong's query command has to print, and end")
    add("--socket", type=Path, metavar="PATH", help="the Unix socket that Kong connects to")
    add("--socket-mode", type=_octal, default=0o666, metavar="MODE", help="its mode, octal (666)")
    add("--take-over", action="store_true", help="take the place of a server that listens on the socket")
    add("--dump-to", type=Path, metavar="FILE", help="write the dump there before listening")
    add("--workers", type=_positive, default=1, metavar="N", help="worker processes (1)")
    add(
        "--metrics-port",
        type=int,
        default=_environment_port(),
        metavar="PORT",
        help="serve /health and /metrics there (METRICS_PORT)",
    )
    add("--metrics-host", default="127.0.0.1", metavar="HOST", help="(127.0.0.1)")
    add(
        "--deadline",
        type=float,
        default=standard.deadline,
        metavar="SECONDS",
        help="for a phase (%(default)s)",
    )
    add("--drain", type=float, default=standard.drain, metavar="SECONDS", help="at SIGTERM (%(default)s)")
    add("--max-events", type=_positive, default=standard.events, metavar="N", help="a worker (%(default)s)")
    add(
        "--max-connections",
        type=_positive,
        default=standard.connections,
        metavar="N",
        help="a worker (%(default)s)",
    )
    add("--max-frame", type=_positive, default=standard.frame, metavar="BYTES", help="(%(default)s)")
    add(
        "--log-level",
        default=os.environ.get("LOG_LEVEL", "INFO").upper(),
        metavar="LEVEL",
        help="(LOG_LEVEL or INFO)",
    )
    add("--inherited", help=argparse.SUPPRESS)
    return parser


def _environment_port() -> int | None:
    port = os.environ.get("METRICS_PORT")
    return int(port) if port else None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _octal(text: str) -> int:
    return int(text, 8)


def _warning_options() -> list[str]:
    return [f"-W{option}" for option in sys.warnoptions]
