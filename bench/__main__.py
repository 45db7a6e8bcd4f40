"""All benches, one after another, on a stack of their own: a table, and what has become slower.

    make bench [ARGS="--only checkout,home --times 3"] [ARGS=--keep]

Takes about ten minutes; nothing else should run. Each bench's own words are in test-results/bench/, the table in
test-results/bench.md. CPU is divided by that of a fixed piece of work (yardstick.py) that is measured right before each
bench, so that two runs on unlike machines can be compared; times by the clock are shown and not compared. A figure that
is worse than in baseline.json by more than 15 % is measured again, and the better of the two counts. Exits with 1 where
one stays so, or a bench fails. `--keep` writes baseline.json anew; `--times 3` runs each bench three times, and gives
the median and the spread.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench import yardstick
from bench.comparing import Figure, better, middle, regressions, table
from bench.figures import FILE

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "baseline.json"
RESULTS = HERE.parent / "test-results"
OFFSET = "18000"
TIMEOUT_S = 600

ALONE: Mapping[str, Sequence[str]] = {
    "plugin_runtime": (),
    "redis_link": (),
    "telemetry": (),
    "token_validator": (),
    "idempotency": (),
    "response_cache": (),
    "rate_limiting": (),
    "login": ("--seconds", "5"),
    "revocation": (),
    "start": (),
}
"""Benches that start what they need, with their arguments."""
ON_A_STACK: Mapping[str, Sequence[str]] = {
    "home": (),
    "hops": (),
    "product_page": (),
    "checkout": ("--checkouts", "200", "--placements", "400"),
    "cache_propagation": (),
    "pages": (),
    "catalog": ("10",),
    "member_pages": ("200",),
}
"""Benches that ask a running stack. The last two need many rows, which are loaded before them."""
MANY_ROWS = ("catalog", "member_pages")


class Run(msgspec.Struct, frozen=True):
    """`machine` and `gateway` say where the figures are from."""

    machine: str
    gateway: str
    figures: tuple[Figure, ...]


class BenchFailed(Exception):  # noqa: N818  # named as the outcome that it is
    pass


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="names of benches, with commas between them")
    parser.add_argument("--keep", action="store_true", help="write baseline.json anew")
    parser.add_argument("--times", type=int, default=1, help="so many runs of each; the median counts")
    arguments = parser.parse_args()
    wanted = tuple(filter(None, arguments.only.split(","))) or (*ALONE, *ON_A_STACK)
    if unknown := set(wanted) - {*ALONE, *ON_A_STACK}:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    before = msgspec.json.decode(BASELINE.read_bytes(), type=Run) if BASELINE.exists() else None
    known = {figure.name: figure for figure in before.figures} if before else {}
    if before and before.gateway != _gateway():
        print(f"the committed run was on {before.gateway}, this one is on {_gateway()}: not compared")
        known = {}
    figures, failed = _all(wanted, known, arguments.times)
    run = Run(_machine(), _gateway(), tuple(figures.values()))
    _write(run, known)
    if arguments.keep and not failed:
        kept = (
            {each.name: each for each in before.figures} | figures if before and arguments.only else figures
        )
        BASELINE.write_bytes(
            msgspec.json.format(
                msgspec.json.encode(Run(run.machine, run.gateway, tuple(kept.values()))), indent=1
            )
            + b"\n"
        )
    worse = regressions(figures, known)
    for name, times in worse.items():
        print(f"REGRESSION: {name} is {times:.2f} times what it was", file=sys.stderr)
    for name in failed:
        print(f"FAILED: bench.{name}; test-results/bench/{name}.txt says why", file=sys.stderr)
    return 1 if failed or worse else 0


def _all(
    wanted: Sequence[str], known: Mapping[str, Figure], times: int
) -> tuple[dict[str, Figure], list[str]]:
    figures: dict[str, Figure] = {}
    failed: list[str] = []

    def measure(name: str, given: Sequence[str], environment: Mapping[str, str]) -> None:
        try:
            runs = [_figures(name, given, environment) for _ in range(times)]
            found = {each: middle([run[each] for run in runs if each in run]) for each in runs[0]}
            if times == 1 and (again := regressions(found, known)):
                print(f"  worse than before: {', '.join(again)}; once more", flush=True)
                second = _figures(name, given, environment)
                found = {
                    each: better(found[each], second[each]) if each in second else found[each]
                    for each in found
                }
            figures.update(found)
        except BenchFailed:
            failed.append(name)

    for name in ALONE:
        if name in wanted:
            measure(name, ALONE[name], {})
    on_a_stack = [name for name in ON_A_STACK if name in wanted]
    if on_a_stack:
        with _stack() as environment:
            for name in on_a_stack:
                if name == MANY_ROWS[0] or (name == MANY_ROWS[1] and MANY_ROWS[0] not in on_a_stack):
                    _fill(environment)
                measure(name, ON_A_STACK[name], environment)
    return figures, failed


def _figures(name: str, given: Sequence[str], environment: Mapping[str, str]) -> dict[str, Figure]:
    """One bench's, by their names. Raises BenchFailed."""
    (RESULTS / "bench").mkdir(parents=True, exist_ok=True)
    unit = yardstick.measure()
    print(f"bench.{name} (yardstick {unit:.0f} µs)", flush=True)
    with (
        tempfile.NamedTemporaryFile("r", encoding="utf-8") as handed,
        (RESULTS / "bench" / f"{name}.txt").open("w", encoding="utf-8") as words,
    ):
        try:
            done = subprocess.run(
                (sys.executable, "-m", f"bench.{name}", *given),
                env={**os.environ, **environment, FILE: handed.name},
                stdout=words,
                stderr=subprocess.STDOUT,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as fault:
            raise BenchFailed(name) from fault
        lines = handed.read().splitlines()
    if not lines:  # a missed budget is a figure; a bench without figures did not get so far
        raise BenchFailed(f"{name}: exit status {done.returncode}")
    found = (
        msgspec.structs.replace(msgspec.json.decode(line, type=Figure), yardstick=unit) for line in lines
    )
    return {each.name: each for each in found}


@contextmanager
def _stack() -> Iterator[Mapping[str, str]]:
    """A stack of its own, with empty databases; yields the variables that lead to it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment = {
            "DEVSTACK_DIR": folder,
            "DEVSTACK_PORT_OFFSET": OFFSET,
            "DEVSTACK_LOG_LEVEL": "WARNING",
            "KONG_NGINX_WORKER_PROCESSES": "1",
        }
        _devstack(environment, "up", "--detach")
        try:
            yield environment
        finally:
            _devstack(environment, "down")


def _fill(environment: Mapping[str, str]) -> None:
    print("loading 50,000 products and 100,000 members", flush=True)
    _devstack(environment, "run", "catalog", "seed-load", "50000")
    _devstack(environment, "run", "member", "seed-load", "100000")


def _devstack(environment: Mapping[str, str], *command: str) -> None:
    subprocess.run(
        (sys.executable, "-m", "devstack", *command),
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _write(run: Run, known: Mapping[str, Figure]) -> None:
    text = "\n".join((f"# {run.machine}, {run.gateway}", "", *table(run.figures, known), ""))
    (RESULTS / "bench.md").write_text(text, encoding="utf-8")
    print(text)


def _machine() -> str:
    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"


def _gateway() -> str:
    if os.environ.get("DEVSTACK_GATEWAY") == "stand-in" or not (kong := shutil.which("kong")):
        return "the stand-in"
    return (
        "Kong " + subprocess.run((kong, "version"), capture_output=True, text=True, check=True).stdout.strip()
    )


if __name__ == "__main__":
    sys.exit(main())
