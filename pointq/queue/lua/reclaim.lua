#!lua flags=allow-oom
-- reclaim: take over entries that another consumer holds and has not touched for some time, about as many points as asked for.
-- KEYS stream, counters
-- ARGV group, consumer, idle milliseconds, cursor, points wanted, entries at most
-- Returns {next cursor, entries, deliveries, owners}: the cursor is 0-0 when the whole list was seen; deliveries counts, for each
-- entry, how often it was handed out, this time included; owners names who held it before.
local stream, group = KEYS[1], ARGV[1]
local wanted, most = tonumber(ARGV[5]), tonumber(ARGV[6])
local cursor, entries, deliveries, owners, points, lost = ARGV[4], {}, {}, {}, 0, 0
-- one entry a step: what the next one holds is not known; each step looks at ten entries, so the steps are bounded too
for _ = 1, most do
  -- the same ten as XAUTOCLAIM looks at for each entry that it may take (https://redis.io/docs/latest/commands/xautoclaim/)
  local pending = redis.pcall('XPENDING', stream, group, cursor, '+', 10)
  if pending.err then
    if not string.find(pending.err, 'NOGROUP', 1, true) then return error(pending.err) end
    return {'0-0', {}, {}, {}}
  end
  local before = {}
  for _, held in ipairs(pending) do before[held[1]] = held end
  local reply = redis.call('XAUTOCLAIM', stream, group, ARGV[2], ARGV[3], cursor, 'COUNT', 1)
  cursor = reply[1]
  lost = lost + #(reply[3] or {})
  for _, entry in ipairs(reply[2]) do
    local held = before[entry[1]]
    entries[#entries + 1] = entry
    deliveries[#deliveries + 1] = held[4] + 1
    owners[#owners + 1] = held[2]
    points = points + (tonumber(entry[2][2]) or 1)
  end
  if cursor == '0-0' or points >= wanted then break end
end
if lost > 0 then
  -- someone deleted entries from the stream by hand; what they held is not known any more
  redis.call('HINCRBY', KEYS[2], 'pending_batches', -lost)
end
return {cursor, entries, deliveries, owners}
