#!lua flags=no-writes
-- heard: a lane's totals.
-- KEYS counters
-- Returns them.
return totals(KEYS[1])
