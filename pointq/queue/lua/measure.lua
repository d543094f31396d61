#!lua flags=no-writes
-- measure: what `status` needs of one lane, consistent with itself.
-- KEYS stream, counters, rates
-- Returns {now (seconds), counters (flat), rates (flat), id of the oldest entry or ''}.
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
return {
  redis.call('TIME')[1],
  redis.call('HGETALL', KEYS[2]),
  redis.call('HGETALL', KEYS[3]),
  oldest[1] and oldest[1][1] or '',
}
