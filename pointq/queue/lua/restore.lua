#!lua flags=allow-oom
-- restore: the server came back without a lane's data. Count again what a process remembers of it, and count as lost what waited,
-- and the dead letters. Several processes remember, each up to what it heard last: the latest word counts, however often and in
-- whatever order they give it.
-- KEYS counters
-- ARGV name of the lost data set, then of it: points accepted, stored, duplicate, dead, rejected, ready, pending,
--      lost before, purged; of dead letters that were put back
-- Returns {whether this is the first word of it, points that are newly known to be lost}.
local counters, past = KEYS[1], 'past:' .. ARGV[1] .. ':'
if redis.call('HGET', counters, 'born') == ARGV[1] then return {0, 0} end
local n = {}
for i = 2, 11 do n[i] = tonumber(ARGV[i]) end

-- every step that changes what is done with points makes this larger: a purge of dead letters too, hence twice; putting back a
-- dead letter leaves it as it is
local progress = n[2] + n[3] + n[4] + n[5] + 2 * n[10] + n[11]
local known = tonumber(redis.call('HGET', counters, past .. 'progress') or -1)
if progress <= known then return {0, 0} end
redis.call('HSET', counters, past .. 'progress', progress)

local now = redis.call('TIME')
redis.call('HSETNX', counters, 'born', now[1] .. string.format('%06d', now[2]))
if known < 0 then redis.call('HSET', counters, 'lost_at', now[1]) end

local function count(name, points)
  local more = points - tonumber(redis.call('HGET', counters, past .. name) or 0)
  redis.call('HSET', counters, past .. name, points)
  redis.call('HINCRBY', counters, name, more)
  return more
end

count('accepted_points', n[2])
count('stored_points', n[3])
count('duplicate_points', n[4])
count('rejected_points', n[6])
count('purged_points', n[10])
count('returned_points', n[11])
return {known < 0 and 1 or 0, count('lost_points', n[5] + n[7] + n[8] + n[9])}
