"""The records in Redis: each step is one script on one key, so that only one request wins."""

from common.redis_link import RedisLink, Script

# A request that finds its own record was here before (its phase is repeated after a killed plugin process):
# it goes on, with a fresh lease.
_RESERVE = Script("""
local record = redis.call('GET', KEYS[1])
if not record then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return false
end
if record == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return false
end
return {record, redis.call('PTTL', KEYS[1])}
""")

# Where the lease ended and no other request took the key, the outcome is kept all the same: the effect happened.
_COMPLETE = Script("""
local record = redis.call('GET', KEYS[1])
if record == ARGV[2] then
  return 1
end
if record and record ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if record then
  return 1
end
return 2
""")

_RELEASE = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
""")

_COUNT = Script("""
local count = redis.call('INCR', KEYS[1])
if count == 1 or redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return count
""")


class Store:
    """`RecordStore` and `Counts` in Redis."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def reserve(self, key: bytes, reservation: bytes, lease: float) -> tuple[bytes, float] | None:
        found = await self._link.evaluate(_RESERVE, key, reservation, _milliseconds(lease))
        return None if found is None else (found[0], max(found[1], 0) / 1000)

    async def complete(self, key: bytes, reservation: bytes, completion: bytes, ttl: float) -> bool:
        done: int = await self._link.evaluate(_COMPLETE, key, reservation, completion, _milliseconds(ttl))
        return done == 1

    async def release(self, key: bytes, reservation: bytes) -> bool:
        freed: int = await self._link.evaluate(_RELEASE, key, reservation)
        return freed == 1

    async def count(self, name: bytes, window: float) -> int:
        counted: int = await self._link.evaluate(
            _COUNT, b"idempotency:anonymous:" + name, _milliseconds(window)
        )
        return counted


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
