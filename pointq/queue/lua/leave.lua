#!lua flags=allow-oom
-- leave: remove consumers that hold nothing: the one named, and any that has been silent for longer than a time. One with pending
-- entries is never removed: deleting it would delete them from the group.
-- KEYS stream
-- ARGV group, consumer, silent milliseconds
-- Returns the number of consumers removed.
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if consumers.err then return 0 end
local removed = 0
for _, flat in ipairs(consumers) do
  local consumer = {}
  for i = 1, #flat, 2 do consumer[flat[i]] = flat[i + 1] end
  local silent = consumer.name == ARGV[2] or consumer.idle > tonumber(ARGV[3])
  if consumer.pending == 0 and silent then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    removed = removed + 1
  end
end
return removed
