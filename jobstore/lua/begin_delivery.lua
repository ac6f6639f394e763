-- Name the next delivery of a channel and record the attempt before it is made.
-- KEYS[1]  prefix
-- ARGV[1]  channel   ARGV[2]  token   ARGV[3]  lease in ms
-- ARGV[4]  "1" leaves out edits of cards that stand already (their bucket is empty)
-- Returns  {} where nothing is to do or the lease was lost, else
--          {"1" where an earlier attempt may have got through, parent's ts, field, value, field, value, ...}
-- A reply whose parent has not been posted lets the parent go first, and the parent's parent before that.
local prefix, channel = KEYS[1], ARGV[1]
local lease = prefix .. 'lease:' .. channel
if redis.call('HGET', lease, 'token') ~= ARGV[2] then return {} end
local at = now_ms()
redis.call('HSET', lease, 'until', int(at + tonumber(ARGV[3])))
redis.call('ZADD', prefix .. 'channels', int(at + tonumber(ARGV[3])), channel)
local queue = prefix .. 'outbox:' .. channel
for _, id in ipairs(redis.call('ZRANGE', queue, 0, 199)) do
  local key = prefix .. 'delivery:' .. id
  local parent, ts, state = unpack(redis.call('HMGET', key, 'parent', 'ts', 'state'))
  if not state then
    redis.call('ZREM', queue, id)
  elseif not (ARGV[4] == '1' and ts ~= '') then
    local parent_ts = ''
    while parent ~= '' do
      local above = prefix .. 'delivery:' .. parent
      local above_ts, above_state, above_parent = unpack(redis.call('HMGET', above, 'ts', 'state', 'parent'))
      parent_ts = above_ts or ''
      if parent_ts ~= '' or not above_state or above_state == 'dead' then break end
      key, parent, state = above, above_parent, above_state
    end
    redis.call('HSET', key, 'state', 'sending')
    redis.call('HINCRBY', key, 'attempts', 1)
    local answer = {state == 'sending' and '1' or '0', parent_ts}
    for _, value in ipairs(redis.call('HGETALL', key)) do answer[#answer + 1] = value end
    return answer
  end
end
return {}
