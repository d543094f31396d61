-- entry: one entry of a stream by the names of its fields, an empty table where it is not there.
-- Prepended to every script that needs it (never run alone).
local function fields_of(stream, id)
  local fields, entry = {}, redis.call('XRANGE', stream, id, id)[1]
  if entry then
    for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  end
  return fields
end
