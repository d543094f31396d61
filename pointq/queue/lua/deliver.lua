#!lua flags=allow-oom
-- deliver: hand the next entries of a lane to a consumer, about as many points as it asks for, and move their points from
-- ready to pending in the same step (XREADGROUP alone would leave no way to count them).
-- KEYS stream, counters
-- ARGV group, consumer, points wanted, entries at most
-- Returns {entries, last id}: each entry as XREADGROUP gives it; the last id of the stream, to wait behind with XREAD.
local stream, counters = KEYS[1], KEYS[2]
local wanted, most = tonumber(ARGV[3]), tonumber(ARGV[4])

-- 0 for an entry that someone added by hand in another form: the worker will find that it is no frame
local function held(entry)
  local fields = entry[2]
  return fields[1] == 'n' and tonumber(string.match(fields[2], '^%d+$')) or 0
end

local function read(count)
  local reply = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', count, 'STREAMS', stream, '>')
  if reply and reply.err then
    if not string.find(reply.err, 'NOGROUP', 1, true) then return error(reply.err) end
    -- a new lane, or a server that came back empty
    redis.call('XGROUP', 'CREATE', stream, ARGV[1], '0', 'MKSTREAM')
    return read(count)
  end
  return reply and reply[1][2] or {}
end

local entries, points, count = {}, 0, 1
while points < wanted and #entries < most do
  local got = read(count)
  for _, entry in ipairs(got) do
    entries[#entries + 1] = entry
    points = points + held(entry)
  end
  if #got < count then break end
  -- by what an entry held so far, the number that fills the rest; never many at once, or a first small entry would fetch
  -- hundreds of large ones behind it
  local average = math.max(points / #entries, 1)
  count = math.min(math.max(math.floor((wanted - points) / average), 1), 8, most - #entries)
end

if #entries > 0 then
  redis.call('HINCRBY', counters, 'ready_points', -points)
  redis.call('HINCRBY', counters, 'ready_batches', -#entries)
  redis.call('HINCRBY', counters, 'pending_points', points)
  redis.call('HINCRBY', counters, 'pending_batches', #entries)
  return {entries, entries[#entries][1]}
end
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
return {entries, last[1] and last[1][1] or '0-0'}
