-- KEYS: the revocation log. ARGV: session and revoked_until, again and again.
local oldest = string.format('%d', (redis.call('TIME')[1] - 900) * 1000)
for i = 1, #ARGV, 2 do
  redis.call('XADD', KEYS[1], 'MINID', '=', oldest, '*', 'sid', ARGV[i], 'exp', ARGV[i + 1])
end
