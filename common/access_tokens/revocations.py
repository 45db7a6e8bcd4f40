"""Which sessions are revoked, known without asking Redis on each request.

Auth writes each revoked session to a Redis stream (docs/contracts.md). A reader takes in the whole stream on
every new connection, so that whatever it missed makes no gap, and then follows it with blocking reads. What it
has learnt it keeps until the session's last token has expired, whatever becomes of Redis.

A Redis that was restarted may have lost what it had acknowledged. So the stream counts for nothing before auth has
marked it as whole in this very process of Redis: one that has another mark, or none, is a store that is down.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import msgspec

from common import redis_address, redis_cluster
from common.redis_link import RedisLink, StoreUnavailableError

log = logging.getLogger(__name__)

START = b"0-0"
MARK = ":whole-in"
"""What the mark's key has beside the stream's."""
READ_AT_ONCE = 1000
LONGEST_BLOCK_MS = 400
"""How long Redis holds a read without news: well below the silence after which it counts as down."""
RETRY = 0.1
LOOK_AGAIN = 1.0
"""Seconds between looks for another server while this one is not marked."""
PRUNE_EVERY = 30.0
LONGEST_KEPT = 86400.0
"""Seconds; no access token lives this long, so no entry may stay longer."""
SET_BACK = 1.0
"""Seconds by which the clock may go back before the stream is read again: what was over by it may matter again."""
MOST_SESSIONS = 200_000
"""Beyond it (about 40 MB) the watch counts as down rather than forgetting a revoked session."""


def mark_key(stream: str, *, cluster: bool) -> str:
    """The key of the stream's mark; in a cluster one that is in the stream's own slot, and so on its node."""
    tagged = redis_cluster.tag(stream.encode()) != stream.encode()
    return stream + MARK + (f":{{{stream}}}" if cluster and not tagged else "")


class NotWholeError(Exception):
    """Auth has not rebuilt the stream in this process of Redis."""


class Revocations:
    """The revoked sessions and until when each matters (Unix seconds)."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def __contains__(self, session: str) -> bool:
        return session in self._until

    def __len__(self) -> int:
        return len(self._until)

    def learn(self, fields: Mapping[bytes, bytes], now: float) -> None:
        """Takes in one entry of the stream; one that makes no sense is logged, the others still count."""
        try:
            session, expires = fields[b"sid"].decode("ascii"), float(fields[b"exp"])
        except (KeyError, ValueError):
            log.warning("revocation stream: an entry without sid or exp")
            return
        if expires > now:
            self._until[session] = max(self._until.get(session, 0.0), min(expires, now + LONGEST_KEPT))

    def prune(self, now: float) -> None:
        self._until = {session: until for session, until in self._until.items() if until > now}


def run_id(info: bytes) -> bytes:
    """The name of the Redis process that gave this answer to INFO; empty where it has none."""
    fields = dict(line.split(b":", 1) for line in info.split(b"\r\n") if b":" in line)
    return fields.get(b"run_id", b"")


def whole_in(mark: bytes | None, info: bytes) -> bool:
    """Whether auth's mark names the Redis process that gave this answer to INFO."""
    process = run_id(info)
    return process != b"" and mark == process


class RevocationSource(msgspec.Struct, frozen=True):
    """Where revocations come from; after `silence` seconds without a word Redis counts as down."""

    redis_url: str
    stream: str
    silence: float
    client_name: str = "gatehouse"
    """What Redis calls this process in its list of clients."""


class RevocationWatch:
    """Follows one stream in the background."""

    def __init__(
        self,
        source: RevocationSource,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.revoked = Revocations()
        self._source = source
        self._stream = source.stream.encode()
        cluster = redis_address.parse(source.redis_url).cluster
        self._mark = mark_key(source.stream, cluster=cluster).encode()
        self._clock, self._monotonic = clock, monotonic
        self._block = min(LONGEST_BLOCK_MS, round(source.silence * 250))
        self._heard: float | None = None
        self._unknown_since: float | None = monotonic()
        self._pruned = monotonic()
        self._clock_ahead = clock() - monotonic()
        """By how much, at its highest, the clock was ahead of the one that is never set."""
        self._settled = asyncio.Event()
        self._waits_for_auth = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._unknown_since = self._monotonic()
        self._task = asyncio.create_task(self._follow(), name="revocation-watch")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def current(self) -> bool:
        """Whether the stream was whole and everything in it up to a moment ago (`silence`) is known.

        False as well after this process stood still, until it has asked Redis again.
        """
        return self._heard is not None and self._monotonic() - self._heard < self._source.silence

    async def settle(self, patience: float) -> bool:
        """As `current`, after waiting for a reading of the stream that is under way.

        Only for the first `patience` seconds after somebody noticed, so that a long outage does not pile up requests.
        """
        if not self.current():
            left = self._noticed() + patience - self._monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), max(0.0, left))
        return self.current()

    def _noticed(self) -> float:
        """Since when it is seen that not everything is known. From then on `settle` waits for what Redis says next."""
        if self._unknown_since is None:
            self._unknown_since = self._monotonic()
            self._settled.clear()
        return self._unknown_since

    async def _follow(self) -> None:
        async with RedisLink(self._source.redis_url, self._source.silence, self._source.client_name) as link:
            looked = self._monotonic()
            while True:
                self._settled.clear()
                try:
                    await self._read_all_and_on(link)
                except NotWholeError:
                    # Auth needs a moment: whoever waits goes on waiting (settle).
                    self._distrust()
                    if not self._waits_for_auth:
                        log.warning(
                            "Redis is another process than before: waiting for auth to rebuild the revocations"
                        )
                    self._waits_for_auth = True
                    await asyncio.sleep(RETRY)
                    # After a failover this may be a replica, or the former master, which nobody will mark.
                    if self._monotonic() - looked > LOOK_AGAIN:
                        looked = self._monotonic()
                        link.look_again()
                    continue
                except StoreUnavailableError:
                    if self._heard is not None:
                        log.warning("revocations are not known until the stream has been read again")
                except Exception:
                    # A watch that ended here would leave every request at 503 until somebody restarts it.
                    log.exception("the revocation stream could not be read")
                else:
                    continue
                was_known = self._heard is not None
                self._distrust()
                if was_known:
                    continue  # asked once more, at once: it may be this process that stood still
                self._settled.set()
                await asyncio.sleep(RETRY)

    async def _read_all_and_on(self, link: RedisLink) -> None:
        """Reads the stream from its start and follows it until the connection, or Redis' memory, is another."""
        last, complete = START, False
        info = await link.command(b"INFO", b"server", near=self._stream)
        connection = link.connection_number
        self._distrust()
        if not whole_in(await link.command(b"GET", self._mark), info):
            raise NotWholeError
        self._waits_for_auth = False
        # From here on all is of one connection, and so of one process of Redis, or counts for nothing.
        while True:
            # An answer says how it was when Redis gave it: it may have lain here while this process stood still.
            asked = self._monotonic()
            waits = complete and self.current()
            entries = _entries(await self._read(link, last, self._block if waits else None))
            if link.connection_number != connection:
                return
            now = self._clock()
            if self._set_back(now):
                log.warning("the clock was set back: reading the revocations again")
                return
            for entry, fields in entries:
                last = entry
                self.revoked.learn(fields, now)
            self._tidy(now)
            if not entries:
                if complete and await self._lost(link, last):
                    log.warning("Redis lost revocations: reading them again")
                    return
                complete = True
            if complete and len(entries) < READ_AT_ONCE:  # else there may be more
                self._heard = asked
                if self.current():
                    self._unknown_since = None
                    self._settled.set()

    def _distrust(self) -> None:
        self._heard = None
        self._noticed()

    async def _read(self, link: RedisLink, last: bytes, block: int | None) -> Any:
        wait: tuple[bytes | int, ...] = () if block is None else (b"BLOCK", block)
        return await link.command(
            b"XREAD", *wait, b"COUNT", READ_AT_ONCE, b"STREAMS", self._stream, last, near=self._stream
        )

    async def _lost(self, link: RedisLink, last: bytes) -> bool:
        """Whether the mark is gone, or the stream ends before what was read of it: somebody emptied Redis."""
        mark = await link.command(b"GET", self._mark)
        newest = await link.command(b"XREVRANGE", self._stream, b"+", b"-", b"COUNT", 1)
        return mark is None or (last != START and (not newest or _order(newest[0][0]) < _order(last)))

    def _set_back(self, now: float) -> bool:
        """Whether the clock was ahead before, and so may have made this forget what still matters."""
        ahead = now - self._monotonic()
        set_back = ahead < self._clock_ahead - SET_BACK
        self._clock_ahead = ahead if set_back else max(ahead, self._clock_ahead)
        return set_back

    def _tidy(self, now: float) -> None:
        if self._monotonic() - self._pruned > PRUNE_EVERY:
            self._pruned = self._monotonic()
            self.revoked.prune(now)
        if len(self.revoked) > MOST_SESSIONS:
            raise StoreUnavailableError(f"more than {MOST_SESSIONS} revoked sessions")


def _entries(reply: Any) -> Sequence[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of an XREAD reply of one stream, which is null, a map (RESP3) or a list of pairs (RESP2)."""
    if not reply:
        return ()
    ((_, entries),) = reply.items() if isinstance(reply, dict) else reply
    return [(entry, dict(zip(fields[::2], fields[1::2], strict=True))) for entry, fields in entries]


def _order(entry: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = entry.partition(b"-")
    return int(milliseconds), int(sequence)
