#!lua flags=allow-oom
--[[
Notes that a program is alive and forgets those that have been silent for too long. It runs when memory is full too, since the draining must
go on.

KEYS[1] programs of one kind  sorted set by the ms of the last beat
ARGV[1] program    ARGV[2] how long it may be silent, ms
Returns how many are alive, this one included.
]]
-- @include clock
-- @include beat
beat(KEYS[1], ARGV[1], tonumber(ARGV[2]), now_ms)
return redis.call('ZCARD', KEYS[1])
