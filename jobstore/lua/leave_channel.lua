-- Give a channel back; it is due again at once, later, or when something new is put.
-- KEYS[1]  prefix
-- ARGV[1]  channel   ARGV[2]  token   ARGV[3]  due again in ms (used where something is left)
-- Returns  1, or 0 where the lease was lost
local prefix, channel = KEYS[1], ARGV[1]
local lease = prefix .. 'lease:' .. channel
if redis.call('HGET', lease, 'token') ~= ARGV[2] then return 0 end
redis.call('HSET', lease, 'until', 0)
if redis.call('ZCARD', prefix .. 'outbox:' .. channel) == 0 then
  redis.call('ZREM', prefix .. 'channels', channel)
else
  redis.call('ZADD', prefix .. 'channels', int(now_ms() + tonumber(ARGV[3])), channel)
end
return 1
