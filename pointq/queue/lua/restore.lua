#!lua flags=allow-oom
-- restore: the server came back without a lane's data. Count again what a process remembers of it, and count as lost what waited,
-- and the dead letters. Several processes remember, each up to what it heard last: the latest word counts, however often and in
-- whatever order they give it.
-- KEYS counters
-- ARGV name of the lost data set, then of it: points accepted, stored, duplicate, dead, rejected, ready, pending,
--      lost before, purged; of dead letters that were put back; name of the newest data set that was counted again there
-- Returns {whether this is the first word of it, points that are newly known to be lost}.
local counters, past = KEYS[1], 'past:' .. ARGV[1] .. ':'
local function number(field) return tonumber(redis.call('HGET', counters, field) or 0) end
if redis.call('HGET', counters, 'born') == ARGV[1] or tonumber(ARGV[1]) <= number('settled') then return {0, 0} end
local n = {}
for i = 1, 12 do n[i] = tonumber(ARGV[i]) end

-- every step that changes what is done with points makes this larger: a purge of dead letters too, hence twice; putting back a
-- dead letter leaves it as it is
local progress = n[2] + n[3] + n[4] + n[5] + 2 * n[10] + n[11]
local known = tonumber(redis.call('HGET', counters, past .. 'progress') or -1)
if progress <= known then return {0, 0} end
redis.call('HSET', counters, past .. 'progress', progress)

local now = redis.call('TIME')
redis.call('HSETNX', counters, 'born', now[1] .. string.format('%06d', now[2]))
if known < 0 then redis.call('HSET', counters, 'lost_at', now[1]) end

-- a data set that was lost after another has among its figures what was counted again there: that one, and those before it, must
-- not count beside it, whether they were told of already or are yet to be
local function settle(taken)
  local fields, lost = redis.call('HGETALL', counters), 0
  for i = 1, #fields, 2 do
    local name, what = string.match(fields[i], '^past:(%d+):(.+)$')
    if name and tonumber(name) <= taken then
      if what ~= 'progress' then redis.call('HINCRBY', counters, what, -fields[i + 1]) end
      if what == 'lost_points' then lost = lost + fields[i + 1] end
      redis.call('HDEL', counters, fields[i])
    end
  end
  redis.call('HSET', counters, 'settled', string.format('%.0f', taken))
  return lost
end

local settled = n[12] > number('settled') and settle(n[12]) or 0
if n[1] > number('taken') then redis.call('HSET', counters, 'taken', ARGV[1]) end

local function count(name, points)
  local more = points - number(past .. name)
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
return {known < 0 and 1 or 0, count('lost_points', n[5] + n[7] + n[8] + n[9]) - settled}
