-- tick: add points to the current second of a lane's rates, a ring of 16 seconds in one hash.
-- Prepended to every script that needs it (never run alone).
local function tick(key, direction, points)
  local now = redis.call('TIME')[1]
  local slot = now % 16
  if redis.call('HGET', key, 'at:' .. slot) ~= now then
    redis.call('HSET', key, 'at:' .. slot, now, 'in:' .. slot, 0, 'out:' .. slot, 0)
  end
  redis.call('HINCRBY', key, direction .. ':' .. slot, points)
end
