-- Give a lease back with the work undone, to be tried again later.
-- KEYS[1]  prefix
-- ARGV[1]  kind   ARGV[2]  id   ARGV[3]  lease token   ARGV[4]  due in ms
-- ARGV[5]  the cancel flag as the caller read it ("1" or ""): one flagged since is acted on at once
-- Returns  1 where it was released, 0 where it was no longer held
local prefix, kind, id = KEYS[1], ARGV[1], ARGV[2]
local key = prefix .. kind .. ':' .. id
local token, lease_until, cancel = unpack(redis.call('HMGET', key, 'lease_token', 'lease_until', 'cancel'))
if token ~= ARGV[3] or tonumber(lease_until) == 0 then return 0 end
redis.call('HSET', key, 'lease_until', 0, 'rings', 0)
redis.call('HINCRBY', key, 'attempts', 1)
put_off(prefix, kind .. ':' .. id, now_ms() + (cancel == ARGV[5] and tonumber(ARGV[4]) or 0))
return 1
