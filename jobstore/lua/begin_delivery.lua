-- Name the next delivery of a channel and record the attempt before it is made.
-- KEYS[1]  prefix
-- ARGV[1]  channel   ARGV[2]  token   ARGV[3]  lease in ms
-- ARGV[4]  what is left out because its bucket is empty: "edits" (of cards that stand already), "posts" (the rest), ""
-- Returns  {} where nothing is to do or the lease was lost, else
--          {"1" where an earlier attempt may have got through, parent's ts, field, value, field, value, ...}
-- A reply whose parent has not been posted lets the parent go first, and the parent's parent before that, with the
-- reply's own rank. What became urgent stays so until it is shown, as its place in the queue does.
-- What was put off is passed over until its time; where nothing else is left, `leave_channel` is told when that is.
local prefix, channel = KEYS[1], ARGV[1]
local lease = prefix .. 'lease:' .. channel
if redis.call('HGET', lease, 'token') ~= ARGV[2] then return {} end
local at = now_ms()
redis.call('HSET', lease, 'until', int(at + tonumber(ARGV[3])))
redis.call('ZADD', prefix .. 'channels', int(at + tonumber(ARGV[3])), channel)
local queue = prefix .. 'outbox:' .. channel
local soonest = 0
local queued = redis.call('ZRANGE', queue, 0, 199, 'WITHSCORES')
for index = 1, #queued, 2 do
  local id, rank = queued[index], math.floor(queued[index + 1] / 1e12)
  local key = prefix .. 'delivery:' .. id
  local parent, ts, state, later = unpack(redis.call('HMGET', key, 'parent', 'ts', 'state', 'later_ms'))
  if not state then
    redis.call('ZREM', queue, id)
  elseif ARGV[4] ~= (ts ~= '' and 'edits' or 'posts') then
    local parent_ts = ''
    while parent ~= '' do
      local above = prefix .. 'delivery:' .. parent
      local above_ts, above_state, above_parent, above_later =
        unpack(redis.call('HMGET', above, 'ts', 'state', 'parent', 'later_ms'))
      parent_ts = above_ts or ''
      if parent_ts ~= '' or not above_state or above_state == 'dead' then break end
      key, parent, state, later = above, above_parent, above_state, above_later
    end
    later = tonumber(later or 0)
    if later <= at then
      redis.call('HSET', key, 'state', 'sending')
      redis.call('HINCRBY', key, 'attempts', 1)
      redis.call('HDEL', lease, 'later_ms')
      local answer = {state == 'sending' and '1' or '0', parent_ts}
      for _, value in ipairs(redis.call('HGETALL', key)) do answer[#answer + 1] = value end
      answer[#answer + 1], answer[#answer + 2] = 'rank', int(rank)
      return answer
    end
    if soonest == 0 or later < soonest then soonest = later end
  end
end
redis.call('HSET', lease, 'later_ms', int(soonest))
return {}
