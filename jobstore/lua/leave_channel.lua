-- Give a channel back; it is due again at once, later, or when something new is put.
-- KEYS[1]  prefix
-- ARGV[1]  channel   ARGV[2]  token   ARGV[3]  due again in ms (used where something is left)
-- Returns  1, or 0 where the lease was lost
-- Where `begin_delivery` passed over what is put off, it is due when that is, if not sooner.
-- begin_delivery moves the channel to the lease's end; a score before now was set by something put since then, which
-- whoever leaves has not seen: that is due at once.
local prefix, channel = KEYS[1], ARGV[1]
local lease = prefix .. 'lease:' .. channel
if redis.call('HGET', lease, 'token') ~= ARGV[2] then return 0 end
redis.call('HSET', lease, 'until', 0)
if redis.call('ZCARD', prefix .. 'outbox:' .. channel) == 0 then
  redis.call('ZREM', prefix .. 'channels', channel)
else
  local at = now_ms()
  local unseen = tonumber(redis.call('ZSCORE', prefix .. 'channels', channel) or 0) <= at
  local due = at + tonumber(ARGV[3])
  local later = tonumber(redis.call('HGET', lease, 'later_ms') or 0)
  if later > at and (due == at or later < due) then due = later end
  redis.call('ZADD', prefix .. 'channels', int(unseen and at or due), channel)
end
return 1
