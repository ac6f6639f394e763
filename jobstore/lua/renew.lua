-- Hold a lease longer, while it is still one's own.
-- KEYS[1]  prefix
-- ARGV[1]  kind   ARGV[2]  id   ARGV[3]  lease token   ARGV[4]  lease in ms
-- Returns  1 where it was renewed, 0 where it was lost
local prefix, kind, id = KEYS[1], ARGV[1], ARGV[2]
local key = prefix .. kind .. ':' .. id
local token, lease_until = unpack(redis.call('HMGET', key, 'lease_token', 'lease_until'))
local at = now_ms()
if token ~= ARGV[3] or tonumber(lease_until) == 0 then return 0 end
redis.call('HSET', key, 'lease_until', int(at + tonumber(ARGV[4])))
put_off(prefix, kind .. ':' .. id, at + tonumber(ARGV[4]))
return 1
