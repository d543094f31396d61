#!lua flags=allow-oom
-- purge: remove batches that are still as they were seen, and count their points as purged, in one atomic step. What a worker
-- took, or took over, since then stays, unless forced. allow-oom: a full server is when this is wanted.
-- KEYS stream of a lane, or of its dead letters; counters
-- ARGV group ('' for dead letters), 1: also what is held by someone else by now,
--      then for each: id, points, state as seen (ready, pending, dead), holder as seen or ''
-- Returns for each: 1 removed, 0 not there any more, -1 taken since it was seen.
local stream, counters, group, forced = KEYS[1], KEYS[2], ARGV[1], ARGV[2] == '1'

local function holder(id)
  if group == '' then return '' end
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  if pending.err then
    -- no group: nothing was ever handed out, or the server came back empty
    if not string.find(pending.err, 'NOGROUP', 1, true) then return error(pending.err) end
    return ''
  end
  return pending[1] and pending[1][2] or ''
end

local results, batches, points = {}, {ready = 0, pending = 0, dead = 0}, {ready = 0, pending = 0, dead = 0}
for i = 3, #ARGV, 4 do
  local id, held, state, seen = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3]
  local now = holder(id)
  local result = -1
  if now == seen or forced then
    result = redis.call('XDEL', stream, id)
    if now ~= '' and result == 1 then
      redis.call('XACK', stream, group, id)
      state = 'pending'
    end
  end
  if result == 1 then
    batches[state] = batches[state] + 1
    points[state] = points[state] + held
  end
  results[#results + 1] = result
end

for state, count in pairs(batches) do
  if count > 0 then
    redis.call('HINCRBY', counters, state .. '_batches', -count)
    redis.call('HINCRBY', counters, state .. '_points', -points[state])
    redis.call('HINCRBY', counters, 'purged_points', points[state])
  end
end
return results
