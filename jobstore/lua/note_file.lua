-- Remember Slack's id for a file before the upload is completed, so that an uncertain completion can be looked up.
-- KEYS[1]  prefix
-- ARGV[1]  channel   ARGV[2]  token   ARGV[3]  delivery id   ARGV[4]  file id
-- Returns  1, or 0 where the lease was lost
local prefix = KEYS[1]
if redis.call('HGET', prefix .. 'lease:' .. ARGV[1], 'token') ~= ARGV[2] then return 0 end
redis.call('HSET', prefix .. 'delivery:' .. ARGV[3], 'file', ARGV[4])
return 1
