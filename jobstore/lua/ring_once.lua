-- Say whether a record's ring waits in RQ's line already; where none does, name the one that is to be put there.
-- KEYS[1]  what remembers the record's latest ring
-- ARGV[1]  RQ's list   ARGV[2]  what the keys of RQ's tasks begin with
-- ARGV[3]  id of the new ring   ARGV[4]  how long RQ keeps a task that waits, in s
-- Returns  1 where the new one is to be put, 0 where one waits: it is then kept as long as a new one would be
-- A task that was taken from the line is no ring that waits: it may have read the record before it changed. Nor is a
-- ring that was named here and never put, or one whose task has expired: RQ would pass it over.
local waiting = redis.call('GET', KEYS[1])
if waiting and redis.call('LPOS', ARGV[1], waiting) and redis.call('EXPIRE', ARGV[2] .. waiting, ARGV[4]) == 1 then
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  return 0
end
redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[4])
return 1
