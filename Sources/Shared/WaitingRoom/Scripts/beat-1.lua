#!lua flags=allow-oom
--[[
Notes that a worker is alive and forgets those that have been silent for as long as a lock lives: theirs are free, and the
living share them out. It runs when memory is full too, since the draining must go on.

KEYS[1] workers  sorted set by the ms of the last beat
ARGV[1] worker    ARGV[2] life of a lock, ms
Returns how many workers are alive, this one included.
]]
-- @include clock
redis.call('ZADD', KEYS[1], now_ms, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now_ms - tonumber(ARGV[2]))
return redis.call('ZCARD', KEYS[1])
