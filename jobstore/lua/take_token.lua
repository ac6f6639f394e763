-- Take a token of each of some buckets that every process shares, or of none of them.
-- KEYS[1]  what the buckets' names begin with
-- ARGV[1]  who asks, "" for one who stands in no line
-- ARGV[2]  its rank, the smallest first   ARGV[3]  since when it has waited, in ms: of one rank, the oldest first
-- ARGV[4]  and so on in fours: name, rate a minute, burst, reserve (tokens to be left for better ranks)
-- Returns  0 where the tokens were taken, else the ms to wait
-- Whoever is refused stands in the line of the bucket that refused it, by rank and age, and leaves tokens for those
-- before it. A place is worth nothing in itself: one who does not come back when it was told to loses it, blocks
-- nobody, and is as old as before when it asks again. So a dead sender's places end by themselves.
local LATE_MS = 5000
local who = ARGV[1]
local score = tonumber(ARGV[2]) * 1e13 + tonumber(ARGV[3])
local at = now_ms()

local function leave(bucket)
  if who == '' then return end
  redis.call('ZREM', bucket .. ':line', who)
  redis.call('ZREM', bucket .. ':back', who)
end

local function stand(bucket, wait)
  if who == '' then return end
  redis.call('ZADD', bucket .. ':line', int(score), who)
  redis.call('ZADD', bucket .. ':back', int(at + wait), who)
  redis.call('PEXPIRE', bucket .. ':line', int(wait + 600000))
  redis.call('PEXPIRE', bucket .. ':back', int(wait + 600000))
end

local function before_me(bucket)
  if who == '' then return 0 end
  local late = redis.call('ZRANGEBYSCORE', bucket .. ':back', '-inf', int(at - LATE_MS), 'LIMIT', 0, 1000)
  for _, other in ipairs(late) do
    redis.call('ZREM', bucket .. ':line', other)
    redis.call('ZREM', bucket .. ':back', other)
  end
  return redis.call('ZCOUNT', bucket .. ':line', '-inf', '(' .. int(score))
end

local buckets, wait = {}, 0
for index = 4, #ARGV, 4 do
  local bucket = KEYS[1] .. ARGV[index]
  local rate, burst, reserve = tonumber(ARGV[index + 1]) / 60000, tonumber(ARGV[index + 2]), tonumber(ARGV[index + 3])
  leave(bucket)
  if wait == 0 then
    local left, since, held = unpack(redis.call('HMGET', bucket, 'left', 'since', 'held_until'))
    if held and tonumber(held) > at then
      wait = tonumber(held) - at
    else
      left = math.min(burst, tonumber(left or burst) + math.max(0, at - tonumber(since or at)) * rate)
      redis.call('HSET', bucket, 'left', tostring(left), 'since', int(at))
      redis.call('PEXPIRE', bucket, 600000)
      local needed = 1 + reserve + before_me(bucket)
      if left < needed then wait = math.ceil((needed - left) / rate) end
    end
    if wait > 0 then stand(bucket, wait) end
  end
  buckets[#buckets + 1] = bucket
end
if wait > 0 then return int(wait) end
for _, bucket in ipairs(buckets) do redis.call('HINCRBYFLOAT', bucket, 'left', -1) end
return 0
