-- Keep what a provider told, and let nobody ask again for a while.
-- KEYS[1]  the provider's offer
-- ARGV[1]  the listing as JSON, "" where it told nothing   ARGV[2]  ms until somebody asks again
-- ARGV[3]  s to keep it
-- Returns  1
redis.call('HSET', KEYS[1], 'next', int(now_ms() + tonumber(ARGV[2])))
if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], 'listing', ARGV[1]) end
if ARGV[1] ~= '' or redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return 1
