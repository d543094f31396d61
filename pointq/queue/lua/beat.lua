#!lua flags=allow-oom
-- beat: write a worker's line. A plain HSET is refused by a full server: healthy workers would look silent, just when the queue
-- must be emptied, and have their database sessions ended.
-- KEYS heartbeats
-- ARGV worker, its line
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
