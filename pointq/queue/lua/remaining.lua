#!lua flags=no-writes
-- remaining: which entries of a lane are still there, ready or held by a worker.
-- KEYS stream
-- ARGV ids
-- Returns the number of them.
local left = 0
for _, id in ipairs(ARGV) do
  left = left + #redis.call('XRANGE', KEYS[1], id, id, 'COUNT', 1)
end
return left
