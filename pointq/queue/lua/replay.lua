#!lua
-- replay: put dead letters, or stored batches that were kept, back into their lane and count them there, in one atomic step: each
-- leaves where it was as it arrives. Of a dead letter goes along how often it was refused, and the last 20 refusals.
-- No allow-oom flag: on a full server everything stays where it is.
-- KEYS dead or retained, stream, counters, rates
-- ARGV which of the two it is: dead, retained; then the ids
-- Returns for each the id of its new entry, '' where it is not there any more.
local MOST_FAILURES = 20
local counters, dead = KEYS[3], ARGV[1] == 'dead'

local function history(letter)
  local ok, failures = pcall(cjson.decode, letter.failures or '[]')
  if not ok or type(failures) ~= 'table' then failures = {} end
  failures[#failures + 1] = {at = letter.last_seen or '', sqlstate = letter.sqlstate or '', message = letter.message or ''}
  while #failures > MOST_FAILURES do table.remove(failures, 1) end
  local count = string.format('%d', tonumber(letter.count) or 1)
  return {'first_seen', letter.first_seen or '', 'count', count, 'failures', cjson.encode(failures)}
end

local results, batches, points, bytes = {}, 0, 0, 0
for i = 2, #ARGV do
  local fields = fields_of(KEYS[1], ARGV[i])
  results[#results + 1] = ''
  -- without a frame: someone added it by hand in another form, and no worker could do anything with it
  if fields.f then
    local held = tonumber(string.match(fields.n or '', '^%d+$') or 0)
    redis.call('XDEL', KEYS[1], ARGV[i])
    results[#results] = redis.call('XADD', KEYS[2], '*', 'n', held, 'f', fields.f, unpack(dead and history(fields) or {}))
    batches, points, bytes = batches + 1, points + held, bytes + #fields.f
  end
end
if batches == 0 then return results end

redis.call('HINCRBY', counters, 'ready_points', points)
redis.call('HINCRBY', counters, 'ready_batches', batches)
if dead then
  redis.call('HINCRBY', counters, 'dead_points', -points)
  redis.call('HINCRBY', counters, 'dead_batches', -batches)
  redis.call('HINCRBY', counters, 'returned_points', points)
else
  redis.call('HINCRBY', counters, 'accepted_points', points)
  redis.call('HINCRBY', counters, 'retained_points', -points)
  redis.call('HINCRBY', counters, 'retained_batches', -batches)
  redis.call('HINCRBY', counters, 'retained_bytes', -bytes)
end
tick(KEYS[4], 'in', points)
return results
