-- A bucket shared by every process: `rate` tokens a minute, at most `burst` saved up.
-- KEYS[1]  bucket
-- ARGV[1]  rate a minute   ARGV[2]  burst   ARGV[3]  reserve: tokens this caller must leave for more urgent ones
-- Returns  0 where a token was taken, else the ms to wait
local at = now_ms()
local left, since, held = unpack(redis.call('HMGET', KEYS[1], 'left', 'since', 'held_until'))
local rate, burst, reserve = tonumber(ARGV[1]) / 60000, tonumber(ARGV[2]), tonumber(ARGV[3])
if held and tonumber(held) > at then return int(tonumber(held) - at) end
left = math.min(burst, tonumber(left or burst) + math.max(0, at - tonumber(since or at)) * rate)
local wait = 0
if left >= 1 + reserve then left = left - 1 else wait = math.ceil((1 + reserve - left) / rate) end
redis.call('HSET', KEYS[1], 'left', tostring(left), 'since', int(at))
redis.call('PEXPIRE', KEYS[1], 600000)
return int(wait)
