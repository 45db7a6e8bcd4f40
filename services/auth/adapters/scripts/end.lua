-- KEYS: session. ARGV: sid, revoked_until. The account whose session ended, or nil.
local account = redis.call('HGET', KEYS[1], 'account')
if account then
  finish(ARGV[1], account, ARGV[2])
end
return account
