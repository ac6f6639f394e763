-- Shared by every operation: put in front of it when it is loaded. Keys all hang below one prefix,
-- "tuneroom:{TEAM}:", whose braces keep them in one slot.

local ACTORS = {'fetcher', 'worker', 'follower'}
local RETENTION_S = 90 * 86400
-- A channel's list shows its newest few; older records are still found by their handle.
local INDEX_MAX = 500

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Lua would print 1763700000000 as 1.7637e+12.
local function int(number)
  return string.format('%.0f', number)
end

-- Exactly one actor is due to act on a record, at one time; an actor without a set waits for nobody.
local function set_due(prefix, member, actor, at)
  for _, name in ipairs(ACTORS) do
    if name == actor then
      redis.call('ZADD', prefix .. 'due:' .. name, int(at), member)
    else
      redis.call('ZREM', prefix .. 'due:' .. name, member)
    end
  end
  if at <= now_ms() then
    redis.call('PUBLISH', prefix .. 'wake:' .. actor, member)
  end
end

-- The same actor, at another time: for whoever holds a lease, and may have read the record before it changed hands.
local function put_off(prefix, member, at)
  for _, name in ipairs(ACTORS) do
    if redis.call('ZSCORE', prefix .. 'due:' .. name, member) then set_due(prefix, member, name, at) end
  end
end

-- event: a JSON object with "type"; appended beside the write that causes it.
local function append_event(record, event, at)
  if event ~= '' then
    redis.call('XADD', record .. ':events', 'MAXLEN', '~', '1000', '*', 'at_ms', int(at), 'event', event)
  end
end

-- deliveries: a list of {id, channel, kind, view, ref, args, parent, thread_ts, rank}; args is JSON text that is passed
-- on as it came (cjson would make [] into {} and keep 14 digits). Decode it before the first write: a script that
-- fails half-way is not undone.
-- A post is put once; a card that exists already is wanted anew: a pair of versions, not a queue of edits.
local function put_deliveries(prefix, deliveries, at)
  for _, item in ipairs(deliveries) do
    local key = prefix .. 'delivery:' .. item.id
    local is_new = redis.call('EXISTS', key) == 0
    if is_new then
      redis.call('HSET', key, 'id', item.id, 'channel', item.channel, 'kind', item.kind, 'view', item.view,
        'ref', item.ref, 'args', item.args, 'parent', item.parent, 'thread_ts', item.thread_ts,
        'rank', item.rank, 'wanted', 1, 'shown', 0, 'ts', '', 'file', '', 'state', 'pending', 'attempts', 0,
        'put_ms', int(at), 'waiting_ms', int(at))
    elseif item.kind == 'card' then
      if not redis.call('ZSCORE', prefix .. 'outbox:' .. item.channel, item.id) then
        redis.call('HSET', key, 'waiting_ms', int(at))  -- since when it stands in line: what the outbox's age is
      end
      redis.call('HINCRBY', key, 'wanted', 1)
      redis.call('HSET', key, 'rank', item.rank)
    end
    if item.parent ~= '' then  -- a thread that is still used is not forgotten
      redis.call('EXPIRE', prefix .. 'delivery:' .. item.parent, RETENTION_S)
    end
    if is_new or item.kind == 'card' then
      redis.call('EXPIRE', key, RETENTION_S)
      local score = item.rank * 1e12 + redis.call('INCR', prefix .. 'outbox:sequence')
      -- what stands in line as urgent already wakes nobody: whoever has its channel sees it, or it waits for its turn
      if redis.call('ZADD', prefix .. 'outbox:' .. item.channel, 'LT', 'CH', int(score), item.id) == 1 then
        redis.call('ZADD', prefix .. 'channels', 'LT', int(at), item.channel)
        redis.call('PUBLISH', prefix .. 'wake:sender', item.channel)
      end
    end
  end
end

-- entry: a JSON object naming who did what to which digest; never trimmed.
local function append_audit(prefix, entry, at)
  if entry ~= '' then
    redis.call('XADD', prefix .. 'audit', '*', 'at_ms', int(at), 'entry', entry)
  end
end

-- An account of a month: everybody's ("") or, below it, "person:U1" or "channel:C1".
local function spend_key(prefix, month, name)
  return prefix .. 'spend:' .. month .. (name == '' and '' or ':' .. name)
end

-- Every account that money touches, everybody's first: {name, cap_micros or cjson.null}.
local function accounts_of(money)
  local found = {{name = '', cap_micros = money.month_cap_micros}}
  for _, account in ipairs(money.accounts or {}) do found[#found + 1] = account end
  return found
end

-- The first cap that `micros` more would break, as {"over-cap", account, left_micros, cap_micros}; nil where all hold.
local function cap_broken(prefix, money, micros)
  for _, account in ipairs(accounts_of(money)) do
    if type(account.cap_micros) == 'number' then
      local key = spend_key(prefix, money.month, account.name)
      local held = tonumber(redis.call('HGET', key, 'reserved_micros') or 0)
      local spent = tonumber(redis.call('HGET', key, 'spent_micros') or 0)
      local left = account.cap_micros - held - spent
      if micros > left then return {'over-cap', account.name, int(left), int(account.cap_micros)} end
    end
  end
  return nil
end

-- The first cap that a reservation would break, the one for a single confirmation ("run") first; nil where all hold.
local function reservation_broken(prefix, reserve)
  local cap = reserve.run_cap_micros
  if reserve.micros > cap then return {'over-cap', 'run', int(cap), int(cap)} end
  return cap_broken(prefix, reserve, reserve.micros)
end

-- Change what is reserved and what is spent in every account that money touches.
local function book(prefix, money, reserve_micros, spend_micros)
  for _, account in ipairs(accounts_of(money)) do
    local key = spend_key(prefix, money.month, account.name)
    redis.call('HINCRBY', key, 'reserved_micros', int(reserve_micros))
    redis.call('HINCRBY', key, 'spent_micros', int(spend_micros))
  end
end
