"""`python -m kong.plugins.response_cache`: `purge --all | --tag TAG | --path PATH`, so that such answers are shown no
more, and `stats`, how the cache of this machine's plugin server is."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time

from common.http_client import CallFailed, HttpClient
from common.redis_link import RedisLink, StoreUnavailableError
from kong.plugins import redis_url
from kong.plugins.response_cache import statistics
from kong.plugins.response_cache.tags import ALL
from kong.plugins.runtime.errors import ConfigError

STREAM = "cache:tags"
TIMEOUT = 3.0


def main(arguments: list[str]) -> int:
    """0, 1 where Redis or the plugin server did not answer, 2 for a wrong call or environment."""
    asked = _parser().parse_args(arguments)
    try:
        url = redis_url.find(None, "RESPONSE_CACHE_REDIS_PASSWORD")
    except ConfigError as fault:
        print(fault, file=sys.stderr)
        return 2
    return asyncio.run(_purge(url, asked) if asked.command == "purge" else _stats(url, asked))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kong.plugins.response_cache", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    purge = commands.add_parser("purge", help="answers that are not to be shown any more")
    what = purge.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true", help="every answer")
    what.add_argument("--tag", action="append", help="what carries this tag; may be repeated")
    what.add_argument("--path", help="what was asked for by this path, with any query")
    stats = commands.add_parser("stats", help="entries, bytes, hits, and the stream of tags")
    stats.add_argument(
        "--metrics",
        metavar="URL",
        default=f"http://127.0.0.1:{os.environ.get('METRICS_PORT') or 9604}",
        help="the plugin server's metrics port (METRICS_PORT, 9604)",
    )
    for command in (purge, stats):
        command.add_argument("--stream", default=STREAM)
    return parser


async def _purge(url: str, asked: argparse.Namespace) -> int:
    tags = [ALL] if asked.all else asked.tag or [f"path:{asked.path}"]
    if any("," in tag or not tag for tag in tags):
        print("a tag is not empty and has no comma", file=sys.stderr)
        return 2
    try:
        async with RedisLink(url, TIMEOUT, "response-cache-purge") as link:
            await link.command(b"XADD", asked.stream.encode(), b"*", b"tags", ",".join(tags).encode())
    except StoreUnavailableError as fault:
        print(f"Redis did not take it: {fault}", file=sys.stderr)
        return 1
    print(f"moved: {', '.join(tags)}")
    return 0


async def _stats(url: str, asked: argparse.Namespace) -> int:
    """Each half is printed where the other one cannot be had."""
    complete = True
    client = HttpClient()
    async with client.lifespan():
        try:
            answer = await client.call("GET", f"{asked.metrics.rstrip('/')}/metrics", timeout=TIMEOUT)
            print("\n".join(statistics.lines(statistics.figures(answer.body.decode()))))
        except (CallFailed, KeyError, ValueError) as fault:
            print(f"no figures of response-cache at {asked.metrics}: {fault}", file=sys.stderr)
            complete = False
    try:
        async with RedisLink(url, TIMEOUT, "response-cache-stats") as link:
            newest = await link.command(b"XREVRANGE", asked.stream.encode(), b"+", b"-", b"COUNT", 1)
    except StoreUnavailableError as fault:
        print(f"Redis does not say: {fault}", file=sys.stderr)
        return 1
    for entry, fields in newest:
        tags = dict(zip(fields[::2], fields[1::2], strict=True)).get(b"tags", b"")
        print(statistics.last_move(entry, tags, time.time()))
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
