-- End a lease whose holder is known to be dead: nobody has to wait for it to lapse by itself.
-- KEYS[1]  prefix
-- ARGV[1]  kind   ARGV[2]  id   ARGV[3]  the holder, as it claimed
-- Returns  1 where it was the holder's, 0 where it was somebody else's or nobody's
-- It counts as lapsed, so the next claim counts an attempt.
local prefix, kind, id = KEYS[1], ARGV[1], ARGV[2]
local key, at = prefix .. kind .. ':' .. id, now_ms()
local holder, lease_until = unpack(redis.call('HMGET', key, 'lease_by', 'lease_until'))
if holder ~= ARGV[3] or tonumber(lease_until) <= at then return 0 end
redis.call('HSET', key, 'lease_until', int(at), 'rings', 0)
put_off(prefix, kind .. ':' .. id, at)
return 1
