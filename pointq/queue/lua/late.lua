#!lua flags=allow-oom
-- late: a worker has stored entries of a data set that the server lost meanwhile: what it held in its memory is not lost.
-- KEYS counters
-- ARGV when the last of the entries was made (Unix milliseconds), stored points, duplicate points
-- Returns how many of them had been counted as lost.
local counters = KEYS[1]
local born = tonumber(redis.call('HGET', counters, 'born') or 0)
if tonumber(ARGV[1]) >= math.floor(born / 1000) then return 0 end
local left = tonumber(redis.call('HGET', counters, 'lost_points') or 0)
local found = 0
for i, name in ipairs({'stored_points', 'duplicate_points'}) do
  local points = math.min(tonumber(ARGV[i + 1]), left - found)
  redis.call('HINCRBY', counters, name, points)
  found = found + points
end
redis.call('HINCRBY', counters, 'lost_points', -found)
return found
