-- Move a record, or amend it where it stands: compare, write, append the event, the outbox entries and the due time.
-- KEYS[1]  prefix
-- ARGV[1]  kind           ARGV[2]  id
-- ARGV[3]  expected state ARGV[4]  expected version   ARGV[5] lease token, "0" where none is held
-- ARGV[6]  commit id: the same id again is answered as it was the first time
-- ARGV[7]  new state      ARGV[8]  its actor     ARGV[9]  due in ms
-- ARGV[10] data (JSON)    ARGV[11] event (JSON or "")    ARGV[12] deliveries (JSON list)
-- ARGV[13] "1" keeps the lease                   ARGV[14] "1" where the record may be forgotten after a while; any
--          other is kept, whatever an earlier state or release let it be
-- ARGV[15] settle: "" or JSON {month, release_micros, spend_micros, accounts: list of {name}}
-- ARGV[16] index: JSON list of {hash, field, value}, hashes named below the prefix
-- ARGV[17] audit (JSON or "")
-- ARGV[18] the cancel flag as the caller read it ("1" or "")        ARGV[19] schema of the data
-- ARGV[20] reserve: "" or JSON {month, micros, run_cap_micros, month_cap_micros, accounts: list of {name, cap_micros}}
-- Returns  {"done", version, cancel flag, updated ms} | {"stale", state, version}
--          | {"over-cap", account ("run", "" for everybody's), left_micros, cap_micros}
-- A cancel that was flagged while the caller worked makes the record due at once, whatever ARGV[9] says.
local prefix, kind, id = KEYS[1], ARGV[1], ARGV[2]
local key = prefix .. kind .. ':' .. id
local state, version, token, commit, cancel, updated =
  unpack(redis.call('HMGET', key, 'state', 'version', 'lease_token', 'commit', 'cancel', 'updated_ms'))
if commit == ARGV[6] then return {'done', version, cancel, updated} end
if state ~= ARGV[3] or version ~= ARGV[4] or (ARGV[5] ~= '0' and token ~= ARGV[5]) then
  return {'stale', state or '', version or '0'}
end
local deliveries, marks = cjson.decode(ARGV[12]), cjson.decode(ARGV[16])
local settle = ARGV[15] ~= '' and cjson.decode(ARGV[15])
local reserve = ARGV[20] ~= '' and cjson.decode(ARGV[20])
if reserve then
  local broken = reservation_broken(prefix, reserve)
  if broken then return broken end
end
local at = now_ms()
version = redis.call('HINCRBY', key, 'version', 1)
redis.call('HSET', key, 'state', ARGV[7], 'data', ARGV[10], 'commit', ARGV[6], 'schema', ARGV[19],
  'updated_ms', int(at))
local due = at + (cancel == ARGV[18] and tonumber(ARGV[9]) or 0)
if ARGV[13] == '1' and ARGV[5] ~= '0' then
  due = tonumber(redis.call('HGET', key, 'lease_until'))
else
  redis.call('HSET', key, 'lease_until', 0, 'attempts', 0, 'rings', 0)
end
append_event(key, ARGV[11], at)
put_deliveries(prefix, deliveries, at)
append_audit(prefix, ARGV[17], at)
for _, entry in ipairs(marks) do
  redis.call('HSET', prefix .. entry.hash, entry.field, entry.value)
  redis.call('EXPIRE', prefix .. entry.hash, RETENTION_S)
end
if settle then book(prefix, settle, 0 - settle.release_micros, settle.spend_micros) end
if reserve then book(prefix, reserve, reserve.micros, 0) end
set_due(prefix, kind .. ':' .. id, ARGV[8], due)
for _, name in ipairs({key, key .. ':events'}) do
  if ARGV[14] == '1' then redis.call('EXPIRE', name, RETENTION_S) else redis.call('PERSIST', name) end
end
return {'done', version, cancel, int(at)}
