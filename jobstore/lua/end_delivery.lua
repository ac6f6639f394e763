-- Record how an attempt ended.
-- KEYS[1]  prefix
-- ARGV[1]  channel   ARGV[2]  token   ARGV[3]  delivery id
-- ARGV[4]  "sent" | "again" (surely not sent) | "later" (surely not sent, by our own fault: counts, and waits by itself)
--          | "unsure" | "dead" (refused for good)
-- ARGV[5]  ts, "" to keep   ARGV[6]  version shown   ARGV[7]  reason, for the dead-letter list
-- ARGV[8]  "1" where an earlier attempt may have got through: "again" speaks of this one only, so that stays
-- ARGV[9]  for how many ms it is put off, for "later" and "unsure"
-- An attempt that was surely not made does not count, or a rate limit would make a dead letter.
-- Returns  1, or 0 where the lease was lost: then the next owner looks it up
local prefix, channel, id = KEYS[1], ARGV[1], ARGV[3]
if redis.call('HGET', prefix .. 'lease:' .. channel, 'token') ~= ARGV[2] then return 0 end
local key = prefix .. 'delivery:' .. id
local queue = prefix .. 'outbox:' .. channel
if ARGV[5] ~= '' then redis.call('HSET', key, 'ts', ARGV[5]) end
if ARGV[4] == 'sent' then
  -- wanted anew while it was sent: what is not shown yet has waited since now
  redis.call('HSET', key, 'state', 'pending', 'shown', ARGV[6], 'attempts', 0, 'waiting_ms', int(now_ms()))
  if tonumber(redis.call('HGET', key, 'wanted')) <= tonumber(ARGV[6]) then
    redis.call('HSET', key, 'state', 'sent')
    redis.call('ZREM', queue, id)
  end
elseif ARGV[4] == 'again' then
  if ARGV[8] ~= '1' then redis.call('HSET', key, 'state', 'pending') end
  redis.call('HINCRBY', key, 'attempts', -1)
elseif ARGV[4] == 'later' then
  if ARGV[8] ~= '1' then redis.call('HSET', key, 'state', 'pending') end
  redis.call('HSET', key, 'later_ms', int(now_ms() + tonumber(ARGV[9])))
elseif ARGV[4] == 'unsure' then
  redis.call('HSET', key, 'later_ms', int(now_ms() + tonumber(ARGV[9])))
elseif ARGV[4] == 'dead' then
  -- a card that is wanted anew later has all its tries again
  redis.call('HSET', key, 'state', 'dead', 'error', ARGV[7], 'attempts', 0)
  redis.call('ZREM', queue, id)
  redis.call('XADD', prefix .. 'dead-letters', 'MAXLEN', '~', '1000', '*', 'delivery', id, 'reason', ARGV[7])
end
return 1
