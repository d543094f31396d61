#!lua flags=no-writes
-- look: some entries of a stream in order, and who holds each; nothing is taken. It stops at a number of bytes too, since the server
-- stands still meanwhile and frames may be large.
-- KEYS stream
-- ARGV group ('' for dead letters, which nobody holds), from, to, entries at most, bytes at most, 1: with the frames
-- Returns {now (seconds, microseconds), last id that was handed out, newest id, entries}: each entry is
-- {id, fields, holder or '', milliseconds that it was not touched, how often it was handed out}.
local stream, group = KEYS[1], ARGV[1]
local from, to, most, most_bytes, framed = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'

local delivered = '0-0'
local groups = group ~= '' and redis.pcall('XINFO', 'GROUPS', stream) or {}
for _, flat in ipairs(groups.err and {} or groups) do
  local one = {}
  for i = 1, #flat, 2 do one[flat[i]] = flat[i + 1] end
  if one.name == group then delivered = one['last-delivered-id'] end
end

local entries, bytes = {}, 0
while #entries < most and bytes < most_bytes do
  local count = math.min(8, most - #entries)
  local got = redis.call('XRANGE', stream, from, to, 'COUNT', count)
  for _, entry in ipairs(got) do
    local fields = {}
    for i = 1, #entry[2], 2 do
      bytes = bytes + #entry[2][i + 1]
      if framed or entry[2][i] ~= 'f' then
        fields[#fields + 1] = entry[2][i]
        fields[#fields + 1] = entry[2][i + 1]
      end
    end
    local held = delivered ~= '0-0' and redis.call('XPENDING', stream, group, entry[1], entry[1], 1)[1]
    entries[#entries + 1] = {entry[1], fields, held and held[2] or '', held and held[3] or 0, held and held[4] or 0}
    from = '(' .. entry[1]
  end
  if #got < count then break end
end

local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
return {redis.call('TIME'), delivered, newest[1] and newest[1][1] or '0-0', entries}
