-- The other side said "too many": nobody takes from this bucket until then.
-- KEYS[1]  bucket
-- ARGV[1]  ms to hold
-- Returns  1
redis.call('HSET', KEYS[1], 'held_until', int(now_ms() + tonumber(ARGV[1])), 'left', 0, 'since', int(now_ms()))
redis.call('PEXPIRE', KEYS[1], 600000)
return 1
