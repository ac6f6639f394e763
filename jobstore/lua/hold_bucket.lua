-- The other side said "too many": nobody takes from this bucket until then.
-- KEYS[1]  bucket
-- ARGV[1]  ms to hold
-- Returns  1
-- The longest hold counts, and nothing is saved up meanwhile: one token at its end, not a burst into the next refusal.
local ends = math.max(now_ms() + tonumber(ARGV[1]), tonumber(redis.call('HGET', KEYS[1], 'held_until') or 0))
redis.call('HSET', KEYS[1], 'held_until', int(ends), 'left', 1, 'since', int(ends))
redis.call('PEXPIRE', KEYS[1], int(ends - now_ms() + 600000))
return 1
