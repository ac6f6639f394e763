-- Name the records whose doorbell must ring again, and put off the next ring: 10 s, 20 s, ... 5 min.
-- KEYS[1]  prefix
-- ARGV[1]  actor whose set is swept   ARGV[2]  how many at the most
-- Returns  members "kind:id" that are due
-- A lapsed lease is due at its end; a ring that is only waiting in line backs off.
local prefix = KEYS[1]
local due_key = prefix .. 'due:' .. ARGV[1]
local at = now_ms()
local members = redis.call('ZRANGEBYSCORE', due_key, '-inf', int(at), 'LIMIT', 0, ARGV[2])
local due = {}
for _, member in ipairs(members) do
  if redis.call('EXISTS', prefix .. member) == 0 then
    redis.call('ZREM', due_key, member)
  else
    local rings = redis.call('HINCRBY', prefix .. member, 'rings', 1)
    local wait = math.min(300, 10 * 2 ^ math.min(rings - 1, 5)) * 1000
    redis.call('ZADD', due_key, int(at + wait), member)
    due[#due + 1] = member
  end
end
return due
