-- totals: what a lane's counters say, for whoever must remember it should the server lose its data. The first answer names the data
-- set (when it began, Unix microseconds): one that came back empty has another name, or none yet.
-- Prepended to every script that needs it (never run alone).
local function totals(counters)
  return redis.call('HMGET', counters, 'born', 'accepted_points', 'stored_points', 'duplicate_points', 'dead_points',
    'rejected_points', 'ready_points', 'pending_points', 'lost_points', 'purged_points', 'returned_points', 'taken')
end
