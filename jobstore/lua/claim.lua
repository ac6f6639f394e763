-- Take the lease on a record that is in one of the given states and that nobody holds.
-- KEYS[1]  prefix
-- ARGV[1]  kind   ARGV[2]  id   ARGV[3]  lease in ms   ARGV[4]  actor   ARGV[5..]  states
-- Returns  {} where it is not to be had, else the record's fields as HGETALL gives them.
-- The token only ever grows: a stale owner's write carries a smaller one and is refused.
local prefix, kind, id = KEYS[1], ARGV[1], ARGV[2]
local key = prefix .. kind .. ':' .. id
local state, lease_until = unpack(redis.call('HMGET', key, 'state', 'lease_until'))
local at = now_ms()
if not state or tonumber(lease_until) > at then return {} end
local wanted = false
for index = 5, #ARGV do wanted = wanted or ARGV[index] == state end
if not wanted then return {} end
redis.call('HINCRBY', key, 'lease_token', 1)
redis.call('HSET', key, 'lease_until', int(at + tonumber(ARGV[3])))
set_due(prefix, kind .. ':' .. id, ARGV[4], at + tonumber(ARGV[3]))
return redis.call('HGETALL', key)
