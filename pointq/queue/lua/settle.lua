#!lua
-- settle: take off token buckets what one server let in, and say what is left for all servers together.
-- A bucket that nobody used is full, so each key lives until it would be.
-- No allow-oom flag: where there is no room, each server counts alone.
-- KEYS buckets
-- ARGV for each: taken, a second, at most
-- Returns the levels, in thousandths, as integers: below 0 where too much was taken.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local levels = {}
for i, key in ipairs(KEYS) do
  local taken, rate, most = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local level, at = most, now
  local kept = redis.call('GET', key)
  if kept then
    local parted = string.find(kept, ' ', 1, true)
    level, at = tonumber(string.sub(kept, 1, parted - 1)), tonumber(string.sub(kept, parted + 1))
  end
  level = math.min(level + math.max(now - at, 0) * rate, most) - taken
  redis.call('SET', key, string.format('%.3f %.6f', level, now), 'PX', math.max(math.ceil((most - level) / rate * 1000), 1))
  levels[i] = math.floor(level * 1000)
end
return levels
