-- KEYS: session, the account's sessions.
-- ARGV: sid, account, token digest, device, address, now, lifetime (s), most sessions of one account, revoked_until.
local now, lifetime = tonumber(ARGV[6]), tonumber(ARGV[7])
redis.call('HSET', KEYS[1], 'account', ARGV[2], 'token', ARGV[3], 'device', ARGV[4], 'address', ARGV[5],
  'created_at', ARGV[6], 'last_seen_at', ARGV[6])
redis.call('EXPIRE', KEYS[1], lifetime)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZADD', KEYS[2], now + lifetime, ARGV[1])
redis.call('EXPIRE', KEYS[2], lifetime)
local surplus = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[8])
if surplus > 0 then
  for _, sid in ipairs(redis.call('ZRANGE', KEYS[2], 0, surplus - 1)) do
    finish(sid, ARGV[2], ARGV[9])
  end
end
