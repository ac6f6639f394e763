-- Take up to so many tokens from a bucket that every process shares.
-- KEYS[1]  bucket
-- ARGV[1]  rate a minute   ARGV[2]  burst   ARGV[3]  how many are wanted
-- Returns  {tokens taken, ms to wait where none was}
local at = now_ms()
local left, since, held = unpack(redis.call('HMGET', KEYS[1], 'left', 'since', 'held_until'))
local rate, burst = tonumber(ARGV[1]) / 60000, tonumber(ARGV[2])
if held and tonumber(held) > at then return {0, int(tonumber(held) - at)} end
left = math.min(burst, tonumber(left or burst) + math.max(0, at - tonumber(since or at)) * rate)
local taken = math.min(math.floor(left), tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'left', tostring(left - taken), 'since', int(at))
redis.call('PEXPIRE', KEYS[1], 600000)
if taken > 0 then return {taken, 0} end
return {0, int(math.max(1, math.ceil((1 - left) / rate)))}
