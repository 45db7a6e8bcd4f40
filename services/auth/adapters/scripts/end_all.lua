-- KEYS: the account's sessions. ARGV: account, sid to spare or '', revoked_until. How many ended.
local ended = 0
for _, sid in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if sid ~= ARGV[2] then
    finish(sid, ARGV[1], ARGV[3])
    ended = ended + 1
  end
end
return ended
