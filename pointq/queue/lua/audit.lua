#!lua flags=allow-oom
-- audit: add a line to the record of what operators removed, which keeps a number of lines; it may take the place of the line
-- that said that this was begun. allow-oom: what is done on a full server is on record too.
-- KEYS record
-- ARGV lines to keep, id of the line to replace or '', the line
-- Returns the id of the new line.
local id = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], '*', 'line', ARGV[3])
if ARGV[2] ~= '' then redis.call('XDEL', KEYS[1], ARGV[2]) end
return id
