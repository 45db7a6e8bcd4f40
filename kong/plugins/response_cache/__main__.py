"""`python -m kong.plugins.response_cache purge --all | --tag TAG | --path PATH`: such answers are shown no more."""

from __future__ import annotations

import argparse
import asyncio
import sys

from common.redis_link import RedisLink, StoreUnavailableError
from kong.plugins import redis_url
from kong.plugins.response_cache.tags import ALL
from kong.plugins.runtime.errors import ConfigError

STREAM = "cache:tags"
TIMEOUT = 3.0


def main(arguments: list[str]) -> int:
    """0, 1 where Redis did not take it, 2 for a wrong call or environment."""
    parser = argparse.ArgumentParser(prog="python -m kong.plugins.response_cache", description=__doc__)
    purge = parser.add_subparsers(dest="command", required=True).add_parser("purge")
    purge.add_argument("--stream", default=STREAM)
    what = purge.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true", help="every answer")
    what.add_argument("--tag", action="append", help="what carries this tag; may be repeated")
    what.add_argument("--path", help="what was asked for by this path, with any query")
    asked = parser.parse_args(arguments)
    tags = [ALL] if asked.all else asked.tag or [f"path:{asked.path}"]
    if any("," in tag or not tag for tag in tags):
        print("a tag is not empty and has no comma", file=sys.stderr)
        return 2
    try:
        url = redis_url.find(None, "RESPONSE_CACHE_REDIS_PASSWORD")
    except ConfigError as fault:
        print(fault, file=sys.stderr)
        return 2
    try:
        asyncio.run(_move(url, asked.stream, tags))
    except StoreUnavailableError as fault:
        print(f"Redis did not take it: {fault}", file=sys.stderr)
        return 1
    print(f"moved: {', '.join(tags)}")
    return 0


async def _move(url: str, stream: str, tags: list[str]) -> None:
    async with RedisLink(url, TIMEOUT, "response-cache-purge") as link:
        await link.command(b"XADD", stream.encode(), b"*", b"tags", ",".join(tags).encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
