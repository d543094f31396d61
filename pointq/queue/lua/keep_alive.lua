#!lua flags=allow-oom
-- keep_alive: say that a consumer still works on entries, so that nobody reclaims them. Entries that it lost stay lost.
-- KEYS stream
-- ARGV group, consumer, then the ids
-- Returns the number of entries that it still holds.
local held = 0
for i = 3, #ARGV do
  local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  -- an error: no group, since the server came back empty, so nothing is held
  if pending.err then
    if not string.find(pending.err, 'NOGROUP', 1, true) then return error(pending.err) end
    return 0
  end
  if #pending > 0 then
    -- JUSTID: the idle time starts anew, the count of deliveries stays
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
    held = held + 1
  end
end
return held
