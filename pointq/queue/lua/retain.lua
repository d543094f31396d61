-- retain: keep stored batches for a while, in a stream bounded by age and by bytes; the oldest go first.
-- Prepended to `complete` (never run alone).

-- a full server must get room from every batch that is stored: then less is kept, not more
local function crowded()
  local memory = redis.pcall('INFO', 'memory')
  if type(memory) ~= 'string' then return false end
  local used, most = string.match(memory, '\nused_memory:(%d+)'), string.match(memory, '\nmaxmemory:(%d+)')
  return used and most and tonumber(most) > 0 and tonumber(used) > 0.9 * tonumber(most)
end

-- drop what is older than a time or too much; a bounded number, since the server stands still meanwhile
local function drop(retained, counters, oldest, most_bytes, most)
  local bytes = tonumber(redis.call('HGET', counters, 'retained_bytes') or 0)
  local batches, points, freed, from = 0, 0, 0, nil
  while batches < most do
    local entry = redis.call('XRANGE', retained, '-', '+', 'COUNT', 1)[1]
    local at = entry and tonumber(string.match(entry[1], '^%d+'))
    if not entry or (at >= oldest and bytes - freed <= most_bytes) then break end
    local fields = fields_of(retained, entry[1])
    redis.call('XDEL', retained, entry[1])
    batches, points, freed, from = batches + 1, points + fields.n, freed + #fields.f, at + 1
  end
  if batches > 0 then
    redis.call('HINCRBY', counters, 'retained_batches', -batches)
    redis.call('HINCRBY', counters, 'retained_points', -points)
    redis.call('HINCRBY', counters, 'retained_bytes', -freed)
    -- everything that was stored since then is there
    redis.call('HSET', counters, 'retained_from', string.format('%.0f', from))
  end
end

local function retain(retained, counters, entries, seconds, most_bytes)
  local time, bytes, points = redis.call('TIME'), 0, 0
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  -- what was stored before the first batch that is kept: it is missing, where there was any
  local before = redis.call('HGET', counters, 'completed_at')
  redis.call('HSETNX', counters, 'retained_from', string.format('%.0f', before and (before + 1) * 1000 or 0))
  for _, entry in ipairs(entries) do
    redis.call('XADD', retained, '*', 'n', entry.n, 'f', entry.f, 'id', entry.id)
    points, bytes = points + entry.n, bytes + #entry.f
  end
  if #entries > 0 then
    redis.call('HINCRBY', counters, 'retained_batches', #entries)
    redis.call('HINCRBY', counters, 'retained_points', points)
    redis.call('HINCRBY', counters, 'retained_bytes', bytes)
  end
  if crowded() then most_bytes = 0 end
  drop(retained, counters, now - seconds * 1000, most_bytes, #entries + 100)
end
