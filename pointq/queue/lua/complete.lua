#!lua flags=allow-oom
-- complete: acknowledge and delete entries whose points are committed, move their bad points to the dead letters, keep the stored
-- ones for a while where that is asked for, and count all of it, in one atomic step. Only entries that this call removes are
-- counted: one that someone else completed meanwhile was counted there. allow-oom, or a full server could never be emptied.
-- A dead letter of an entry that was replayed goes on with that entry's history: how often it was refused, and why.
-- KEYS stream, counters, rates, dead; where stored batches are kept: retained
-- ARGV group, stored points, duplicate points,
--      number of entries, then for each: id, points
--      number of dead letters, then for each: source id, points, frame, deliveries, sqlstate, message, first seen
--      with retained: seconds and bytes that are kept at most
-- Returns {the number of entries that this call removed, the lane's totals}.
local stream, counters = KEYS[1], KEYS[2]
local stored = tonumber(ARGV[2])
local at = 4

local function take()
  at = at + 1
  return ARGV[at - 1]
end

local entries, letters, refused = {}, {}, {}
for i = 1, tonumber(take()) do
  local id, held = take(), tonumber(take())
  entries[i] = {id = id, held = held}
end
for i = 1, tonumber(take()) do
  local id, held, frame, deliveries, sqlstate, message, first = take(), take(), take(), take(), take(), take(), take()
  letters[i] = {id, held, frame, deliveries, sqlstate, message, first}
  refused[id] = (refused[id] or 0) + held
end

local removed, kept, batches, points = {}, {}, 0, 0
for _, entry in ipairs(entries) do
  local id = entry.id
  if redis.call('XACK', stream, ARGV[1], id) == 1 then
    removed[id] = {}
    if KEYS[5] or refused[id] then removed[id] = fields_of(stream, id) end
    -- of a batch that was refused as a whole nothing was stored
    if KEYS[5] and removed[id].f and refused[id] ~= entry.held then
      kept[#kept + 1] = {id = id, n = entry.held, f = removed[id].f}
    end
    redis.call('XDEL', stream, id)
    batches = batches + 1
    points = points + entry.held
  end
end

local dead_batches, dead_points = 0, 0
for _, letter in ipairs(letters) do
  local id, held, frame, deliveries, sqlstate, message, first = unpack(letter)
  local source = removed[id]
  if source then
    local now, history = redis.call('TIME'), {}
    if source.failures then
      history = {'count', string.format('%d', (tonumber(source.count) or 1) + 1), 'failures', source.failures}
      first = source.first_seen or first
    end
    redis.call('XADD', KEYS[4], '*', 'n', held, 'f', frame, 'queue', stream, 'id', id, 'deliveries', deliveries,
      'sqlstate', sqlstate, 'message', message, 'first_seen', first,
      'last_seen', now[1] .. '.' .. string.format('%06d', now[2]), unpack(history))
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
if KEYS[5] then
  local seconds, bytes = tonumber(take()), tonumber(take())
  retain(KEYS[5], counters, kept, seconds, bytes)
end
redis.call('HSET', counters, 'completed_at', redis.call('TIME')[1])
tick(KEYS[3], 'out', points)
return {batches, totals(counters)}
