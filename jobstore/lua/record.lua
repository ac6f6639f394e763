-- Record something new, once. Dedupe, caps, record, index, event, deliveries, audit and due time in one step.
-- KEYS[1]  prefix
-- ARGV[1]  kind           ARGV[2]  letter of its handles (d, j, p, c)
-- ARGV[3]  dedupe key, "" for none: what the thing is, not the delivery's id
-- ARGV[4]  first state    ARGV[5]  its actor     ARGV[6]  due in ms
-- ARGV[7]  schema         ARGV[8]  data (JSON)   ARGV[9]  channel
-- ARGV[10] event (JSON or "")                    ARGV[11] deliveries (JSON list)
-- ARGV[12] audit (JSON or "")
-- ARGV[13] reserve: "" or JSON {month, micros, run_cap_micros, month_cap_micros, accounts: list of {name, cap_micros}}
-- ARGV[14] "" or the counter below the prefix that it is numbered by ("versions:d12"), from 2 on
-- "$ID" in event, deliveries and audit stands for the handle that is given out here, "$NUMBER" in data and event for
-- the number.
-- Returns  {"new", id} | {"seen", id} | {"over-cap", account ("run", "" for everybody's), left_micros, cap_micros}
local prefix, kind = KEYS[1], ARGV[1]
local at = now_ms()
local seen_key = prefix .. 'seen:' .. ARGV[3]
if ARGV[3] ~= '' then
  local seen = redis.call('GET', seen_key)
  if seen then return {'seen', seen} end
end
local reserve = ARGV[13] ~= '' and cjson.decode(ARGV[13])
if reserve then
  local broken = reservation_broken(prefix, reserve)
  if broken then return broken end
end
local id = ARGV[2] .. redis.call('INCR', prefix .. 'next:' .. kind)
local number
if ARGV[14] ~= '' then
  number = int(redis.call('INCR', prefix .. ARGV[14]) + 1)
  redis.call('EXPIRE', prefix .. ARGV[14], RETENTION_S)
end
local function numbered(text) return number and (string.gsub(text, '%$NUMBER', number)) or text end
local function named(text) return (string.gsub(text, '%$ID', id)) end
local deliveries = cjson.decode(named(ARGV[11]))
if reserve then book(prefix, reserve, reserve.micros, 0) end
if ARGV[3] ~= '' then redis.call('SET', seen_key, id, 'EX', 3 * 86400) end
local key = prefix .. kind .. ':' .. id
redis.call('HSET', key, 'id', id, 'kind', kind, 'state', ARGV[4], 'version', 1, 'schema', ARGV[7],
  'data', numbered(ARGV[8]), 'cancel', '', 'lease_token', 0, 'lease_until', 0, 'attempts', 0, 'rings', 0, 'commit', '',
  'created_ms', int(at), 'updated_ms', int(at))
redis.call('SADD', 'tuneroom:teams', string.match(prefix, '{(.*)}'))
local index = prefix .. 'index:' .. kind .. ':' .. ARGV[9]
redis.call('ZADD', index, int(at), id)
redis.call('ZREMRANGEBYRANK', index, 0, -INDEX_MAX - 1)
append_event(key, numbered(named(ARGV[10])), at)
put_deliveries(prefix, deliveries, at)
append_audit(prefix, named(ARGV[12]), at)
set_due(prefix, kind .. ':' .. id, ARGV[5], at + tonumber(ARGV[6]))
return {'new', id}
