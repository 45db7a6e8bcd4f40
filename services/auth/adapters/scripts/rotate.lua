-- Exchanges a session's refresh token. One script, so that of any number of callers with one token a single one
-- rotates it and the others are told of the same successor, or of the reuse.
-- KEYS: session, successor of the presented token.
-- ARGV: sid, presented digest, successor digest, successor sealed with the presented token, now, idle, absolute,
--       grace (s), revoked_until.
local found = redis.call('HMGET', KEYS[1], 'account', 'token', 'device', 'address', 'created_at', 'last_seen_at')
local account, token = found[1], found[2]
if not account then
  return {'none'}
end
local now, grace = tonumber(ARGV[5]), tonumber(ARGV[8])
local oldest_end = tonumber(found[5]) + tonumber(ARGV[7])
if now >= math.min(tonumber(found[6]) + tonumber(ARGV[6]), oldest_end) then
  finish(ARGV[1], account, ARGV[9])
  return {'none'}
end
if token ~= ARGV[2] then
  local kept = redis.call('HMGET', KEYS[2], 'sealed', 'until')
  if kept[1] and now < tonumber(kept[2]) then
    return {'again', account, found[3], found[4], found[5], found[6], kept[1]}
  end
  finish(ARGV[1], account, ARGV[9])
  return {'reused', account}
end
local lifetime = math.ceil(math.min(tonumber(ARGV[6]), oldest_end - now))
redis.call('HSET', KEYS[1], 'token', ARGV[3], 'last_seen_at', ARGV[5])
redis.call('EXPIRE', KEYS[1], lifetime)
-- The sealed successor outlives the grace nowhere: with an old token it would open a chain up to the current one.
redis.call('HSET', KEYS[2], 'sealed', ARGV[4], 'until', now + grace)
redis.call('EXPIRE', KEYS[2], grace)
local sessions = 'auth:account:' .. account .. ':sessions'
redis.call('ZADD', sessions, now + lifetime, ARGV[1])
if redis.call('TTL', sessions) < lifetime then
  redis.call('EXPIRE', sessions, lifetime)
end
return {'rotated', account, found[3], found[4], found[5], ARGV[5]}
