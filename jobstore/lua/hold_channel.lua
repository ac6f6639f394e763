-- Hold a channel longer, and learn whether it is still one's own.
-- KEYS[1]  prefix
-- ARGV[1]  channel   ARGV[2]  token   ARGV[3]  lease in ms
-- ARGV[4]  the delivery that is about to be sent: a look-up for it begins from here
-- Returns  1, or 0 where the lease was lost
local prefix, channel = KEYS[1], ARGV[1]
local lease = prefix .. 'lease:' .. channel
if redis.call('HGET', lease, 'token') ~= ARGV[2] then return 0 end
local lease_until = now_ms() + tonumber(ARGV[3])
redis.call('HSET', lease, 'until', int(lease_until))
redis.call('ZADD', prefix .. 'channels', int(lease_until), channel)
local key = prefix .. 'delivery:' .. ARGV[4]
if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'sent_ms', int(now_ms())) end
return 1
