-- Take the lease on one channel that has something to deliver.
-- KEYS[1]  prefix
-- ARGV[1]  lease in ms
-- Returns  {} | {channel, token}
local prefix = KEYS[1]
local at = now_ms()
for _, channel in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'channels', '-inf', int(at), 'LIMIT', 0, 50)) do
  local lease = prefix .. 'lease:' .. channel
  local lease_until = tonumber(redis.call('HGET', lease, 'until') or 0)
  if lease_until <= at then
    local token = redis.call('HINCRBY', lease, 'token', 1)
    redis.call('HSET', lease, 'until', int(at + tonumber(ARGV[1])))
    redis.call('ZADD', prefix .. 'channels', int(at + tonumber(ARGV[1])), channel)
    return {channel, token}
  end
end
return {}
