#!lua flags=allow-oom
-- complete: acknowledge and delete entries whose points are committed, move their bad points to the dead letters, and count
-- all of it, in one atomic step. Only entries that this call removes are counted: one that someone else completed
-- meanwhile was counted there. allow-oom, or a full server could never be emptied.
-- KEYS stream, counters, rates, dead
-- ARGV group, stored points, duplicate points,
--      number of entries, then for each: id, points
--      number of dead letters, then for each: source id, points, frame, deliveries, sqlstate, message, first seen
-- Returns {the number of entries that this call removed, the lane's totals}.
local stream, counters = KEYS[1], KEYS[2]
local stored = tonumber(ARGV[2])
local at = 4

local function take()
  at = at + 1
  return ARGV[at - 1]
end

local removed, batches, points = {}, 0, 0
for _ = 1, tonumber(take()) do
  local id, held = take(), tonumber(take())
  if redis.call('XACK', stream, ARGV[1], id) == 1 then
    redis.call('XDEL', stream, id)
    removed[id] = true
    batches = batches + 1
    points = points + held
  end
end

local dead_batches, dead_points = 0, 0
for _ = 1, tonumber(take()) do
  local id, held, frame, deliveries, sqlstate, message, first = take(), take(), take(), take(), take(), take(), take()
  if removed[id] then
    local now = redis.call('TIME')
    redis.call('XADD', KEYS[4], '*', 'n', held, 'f', frame, 'queue', stream, 'id', id, 'deliveries', deliveries,
      'sqlstate', sqlstate, 'message', message, 'first_seen', first, 'last_seen', now[1] .. '.' .. string.format('%06d', now[2]))
    dead_batches = dead_batches + 1
    dead_points = dead_points + tonumber(held)
  end
end

if batches == 0 then return {0, totals(counters)} end
-- where another consumer completed some of the entries, the two figures are shares of what is left: the sum stays exact
local live = points - dead_points
local counted = math.min(stored, live)
redis.call('HINCRBY', counters, 'pending_points', -points)
redis.call('HINCRBY', counters, 'pending_batches', -batches)
redis.call('HINCRBY', counters, 'stored_points', counted)
redis.call('HINCRBY', counters, 'duplicate_points', live - counted)
if dead_batches > 0 then
  redis.call('HINCRBY', counters, 'dead_points', dead_points)
  redis.call('HINCRBY', counters, 'dead_batches', dead_batches)
end
redis.call('HSET', counters, 'completed_at', redis.call('TIME')[1])
tick(KEYS[3], 'out', points)
return {batches, totals(counters)}
