-- Whose turn is it to ask a provider what it offers? One process's, until the time is up.
-- KEYS[1]  the provider's offer
-- ARGV[1]  ms that the turn lasts   ARGV[2]  s to keep the offer, where it is new
-- Returns  1: it is yours; 0: it is, or was lately, somebody else's
local at = now_ms()
if tonumber(redis.call('HGET', KEYS[1], 'next') or 0) > at then return 0 end
local is_new = redis.call('EXISTS', KEYS[1]) == 0
redis.call('HSET', KEYS[1], 'next', int(at + tonumber(ARGV[1])))
if is_new then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 1
