#!lua flags=allow-oom
-- late: a worker has stored entries of a data set that the server lost meanwhile: what it held in its memory is not lost. What
-- was lost may be counted only afterwards, so the figure may be less than nothing for a moment.
-- KEYS counters
-- ARGV when the last of the entries was made (Unix milliseconds), stored points, duplicate points
-- Returns how many points that are; 0 where the entries are of this data set.
local counters = KEYS[1]
local born = redis.call('HGET', counters, 'born')
if born and tonumber(ARGV[1]) >= math.floor(tonumber(born) / 1000) then return 0 end
redis.call('HINCRBY', counters, 'stored_points', ARGV[2])
redis.call('HINCRBY', counters, 'duplicate_points', ARGV[3])
redis.call('HINCRBY', counters, 'lost_points', -(ARGV[2] + ARGV[3]))
return ARGV[2] + ARGV[3]
