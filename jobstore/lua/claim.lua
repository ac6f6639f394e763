-- Take the lease on a record that is in one of the given states and that nobody holds.
-- KEYS[1]  prefix
-- ARGV[1]  kind   ARGV[2]  id   ARGV[3]  lease in ms   ARGV[4]  newest schema the caller reads
-- ARGV[5]  who takes it, for `lapse`
-- ARGV[6]  state, ARGV[7] its actor, and so on in pairs
-- Returns  {} where it is not to be had, {"newer", schema} where the caller could not read it (nothing is taken),
--          else the record's fields as HGETALL gives them.
-- The token only ever grows: a stale owner's write carries a smaller one and is refused.
-- A lease that was let lapse counts as an attempt, or a record that kills its worker would be tried for ever.
local prefix, kind, id = KEYS[1], ARGV[1], ARGV[2]
local key, member = prefix .. kind .. ':' .. id, kind .. ':' .. id
local state, lease_until, schema = unpack(redis.call('HMGET', key, 'state', 'lease_until', 'schema'))
local at = now_ms()
if not state then
  for _, name in ipairs(ACTORS) do redis.call('ZREM', prefix .. 'due:' .. name, member) end
  return {}
end
if tonumber(lease_until) > at then return {} end
local actor
for index = 6, #ARGV, 2 do
  if ARGV[index] == state then actor = ARGV[index + 1] end
end
if not actor then return {} end
if tonumber(schema) > tonumber(ARGV[4]) then return {'newer', schema} end
if tonumber(lease_until) > 0 then redis.call('HINCRBY', key, 'attempts', 1) end
redis.call('HINCRBY', key, 'lease_token', 1)
redis.call('HSET', key, 'lease_until', int(at + tonumber(ARGV[3])), 'lease_by', ARGV[5], 'rings', 0)
set_due(prefix, member, actor, at + tonumber(ARGV[3]))
return redis.call('HGETALL', key)
