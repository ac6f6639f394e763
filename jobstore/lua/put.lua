-- Put deliveries that belong to no record: a greeting, an answer to a stray message.
-- KEYS[1]  prefix
-- ARGV[1]  deliveries (JSON list)
-- Returns  1
redis.call('SADD', 'tuneroom:teams', string.match(KEYS[1], '{(.*)}'))
put_deliveries(KEYS[1], cjson.decode(ARGV[1]), now_ms())
return 1
