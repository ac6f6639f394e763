-- Make records due now that were due later: something new is known of them. One that is held is left to whoever holds it.
-- KEYS[1]  prefix
-- ARGV[1]  actor   ARGV[2..] members "kind:id"
-- Returns  the members that do not wait for this actor (any more)
local prefix, actor = KEYS[1], ARGV[1]
local due_key, at, gone = prefix .. 'due:' .. actor, now_ms(), {}
for index = 2, #ARGV do
  local member = ARGV[index]
  if not redis.call('ZSCORE', due_key, member) then
    gone[#gone + 1] = member
  elseif tonumber(redis.call('HGET', prefix .. member, 'lease_until') or 0) <= at then
    redis.call('ZADD', due_key, 'LT', int(at), member)
    redis.call('PUBLISH', prefix .. 'wake:' .. actor, member)
  end
end
return gone
