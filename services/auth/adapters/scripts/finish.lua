-- Put before the scripts that end sessions. Ends one and tells the gateway in the same step: the stream is the
-- revocation log of docs/contracts.md. Keys are made from what the session holds, so these scripts want one Redis
-- and not a cluster.
local function finish(sid, account, revoked_until)
  redis.call('DEL', 'auth:session:' .. sid)
  redis.call('ZREM', 'auth:account:' .. account .. ':sessions', sid)
  local oldest = string.format('%d', (redis.call('TIME')[1] - 900) * 1000)
  redis.call('XADD', 'auth:revocations', 'MINID', '=', oldest, '*', 'sid', sid, 'exp', revoked_until)
end

