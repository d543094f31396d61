#!lua
-- enqueue: append one frame to a lane and count its points, in one atomic step.
-- No allow-oom flag: a server that is full must refuse new points, so that the caller can put them elsewhere.
-- KEYS stream, counters, rates
-- ARGV frame, points, rejected; of a dead letter that comes back from a file: first seen, count, failures, as `replay` keeps them
-- Returns {the id of the new entry, the lane's totals}.
local history = ARGV[4] and {'first_seen', ARGV[4], 'count', ARGV[5], 'failures', ARGV[6]} or {}
local id = redis.call('XADD', KEYS[1], '*', 'n', ARGV[2], 'f', ARGV[1], unpack(history))
redis.call('HINCRBY', KEYS[2], 'accepted_points', ARGV[2])
redis.call('HINCRBY', KEYS[2], 'ready_points', ARGV[2])
redis.call('HINCRBY', KEYS[2], 'ready_batches', 1)
if ARGV[3] ~= '0' then
  redis.call('HINCRBY', KEYS[2], 'rejected_points', ARGV[3])
end
tick(KEYS[3], 'in', ARGV[2])
local known = totals(KEYS[2])
if not known[1] then
  local now = redis.call('TIME')
  known[1] = now[1] .. string.format('%06d', now[2])
  redis.call('HSET', KEYS[2], 'born', known[1])
end
return {id, known}
