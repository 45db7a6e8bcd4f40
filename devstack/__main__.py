"""`python -m devstack COMMAND`: the whole platform on this machine, without Docker."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

from devstack import account, backup, cli, dotenv, environment, running, service_command
from devstack.errors import DevstackError, SettingsError
from devstack.observability import observe
from devstack.recovery.failover import failover
from devstack.settings import ROOT, Settings, locate, read

LOOKING_AND_STOPPING = ("down", "status", "state", "logs", "stop", "kill", "restart")


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devstack", description="The whole platform as local processes."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start everything; stays in this terminal until Ctrl-C")
    up.add_argument("--detach", action="store_true", help="return once everything is healthy")
    up.add_argument("--fresh", action="store_true", help="start empty: data, logs and secrets are removed")
    commands.add_parser("down", help="stop everything")
    commands.add_parser("status", help="show every part; exit status 0 if all are ready, 3 if nothing runs")
    commands.add_parser("state", help="print the directory of its data, logs and secrets")
    logs = commands.add_parser("logs", help="show the last lines of the log")
    logs.add_argument("name", nargs="?", help="one part's only")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    logs.add_argument("-n", "--lines", type=int, default=100, help="how many (100)")
    restart = commands.add_parser("restart", help="start a part anew; kong reads its template again")
    restart.add_argument("name")
    stop = commands.add_parser("stop", help="end a part; it stays down until restart")
    stop.add_argument("name")
    kill = commands.add_parser("kill", help="send a part's process a signal, to see how the rest bears it")
    kill.add_argument("name")
    kill.add_argument("--signal", default="SIGKILL", help="SIGKILL unless told otherwise")
    commands.add_parser("observe", help="Prometheus and Alertmanager beside the running stack, until Ctrl-C")
    commands.add_parser("check", help="whether kong.yml.template would start a gateway; starts nothing")
    saving = commands.add_parser("backup", help="save databases, Redis and kept files of the running stack")
    saving.add_argument(
        "directory", nargs="?", type=Path, help="backups/ and the time, unless told otherwise"
    )
    restoring = commands.add_parser("restore", help="put a backup in place of what the stopped stack holds")
    restoring.add_argument("directory", type=Path)
    taking_over = commands.add_parser(
        "failover", help="this standby region takes over from the one that it follows"
    )
    taking_over.add_argument(
        "--fence", type=Path, metavar="DIRECTORY", help="the state of that one, to be stopped first"
    )
    taking_over.add_argument(
        "--it-is-down", action="store_true", help="it is down, and takes no write any more"
    )
    commands.add_parser("migrate", help="bring each database of the running stack to this checkout's tables")
    run = commands.add_parser(
        "run", help="a service's own command in its environment: run member outbox list"
    )
    run.add_argument("service", choices=service_command.SERVICES)
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    commands.add_parser("supervise")  # what `up --detach` leaves behind
    return parser


def _settings(*, strict: bool) -> Settings:
    """Without `strict`, what of `.env` cannot be read is left out: no mistake there keeps a stack running."""
    if strict:
        values = dotenv.parse(dotenv.text_of(ROOT), os.environ)
        return read(environment.given(values, os.environ))
    try:
        values = dotenv.readable(dotenv.text_of(ROOT), os.environ)
    except SettingsError:
        values = {}
    return locate(environment.given(values, os.environ))


def _run(options: argparse.Namespace) -> int:
    settings = _settings(strict=options.command not in LOOKING_AND_STOPPING)
    match options.command:
        case "up":
            return cli.up(settings, detach=options.detach, fresh=options.fresh)
        case "down":
            return cli.down(settings)
        case "status":
            return cli.status(settings)
        case "state":
            print(settings.state)
            return 0
        case "logs":
            return cli.show_logs(settings, options.name, lines=options.lines, follow=options.follow)
        case "restart":
            return cli.restart(settings, options.name)
        case "stop":
            return cli.stop(settings, options.name)
        case "kill":
            return cli.kill(settings, options.name, options.signal)
        case "observe":
            return observe.observe(settings)
        case "check":
            return cli.check_template(settings)
        case "backup" | "restore" | "failover" | "migrate" | "run":
            return _on_data(settings, options)
        case _:
            running.run(settings, show_logs=False)
            return 0


def _on_data(settings: Settings, options: argparse.Namespace) -> int:
    """What is done with the data of the stack."""
    match options.command:
        case "backup":
            return backup.backup(settings, options.directory)
        case "restore":
            return backup.restore(settings, options.directory)
        case "failover":
            return failover(settings, options.fence, is_down=options.it_is_down)
        case "migrate":
            return service_command.migrate(settings)
        case _:
            return service_command.run(settings, options.service, options.arguments)


def main() -> int:
    options = arguments().parse_args()
    # Logs hold what people wrote; not every terminal can show it.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _run(options)
    except DevstackError as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        who = account.name(os.geteuid())
        print(f"{error.filename or 'a file'} is not for {who}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
