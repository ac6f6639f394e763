-- Ask for a record to be cancelled: a flag that its next step reads. The version stays, so nobody's commit is lost.
-- KEYS[1]  prefix
-- ARGV[1]  kind   ARGV[2]  id   ARGV[3]  event (JSON)   ARGV[4]  audit (JSON)   ARGV[5]  deliveries (JSON list)
-- ARGV[6..]  states it may stand in
-- Returns  {"flagged", state} | {"already", state} | {"too-late", state}
local prefix, kind, id = KEYS[1], ARGV[1], ARGV[2]
local key = prefix .. kind .. ':' .. id
local state, cancel = unpack(redis.call('HMGET', key, 'state', 'cancel'))
local live = false
for index = 6, #ARGV do live = live or ARGV[index] == state end
if not live then return {'too-late', state or ''} end
if cancel == '1' then return {'already', state} end
local deliveries = cjson.decode(ARGV[5])
local at = now_ms()
redis.call('HSET', key, 'cancel', '1')
append_event(key, ARGV[3], at)
append_audit(prefix, ARGV[4], at)
put_deliveries(prefix, deliveries, at)
for _, actor in ipairs(ACTORS) do
  local due_key = prefix .. 'due:' .. actor
  if redis.call('ZSCORE', due_key, kind .. ':' .. id) and tonumber(redis.call('HGET', key, 'lease_until')) <= at then
    redis.call('ZADD', due_key, int(at), kind .. ':' .. id)
    redis.call('PUBLISH', prefix .. 'wake:' .. actor, kind .. ':' .. id)
  end
end
return {'flagged', state}
