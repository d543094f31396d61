#!lua
-- probe: whether the server takes new points; nothing is changed. Like `enqueue` it is refused by a server that is full, cannot write
-- to its disk, or is a replica.
-- KEYS counters
redis.call('HINCRBY', KEYS[1], 'accepted_points', 0)
