#!lua flags=allow-oom
--[[
Takes one waiting person out of the line at their own wish. It frees memory, so it runs when memory is full too.

KEYS[1] waiting  sorted set    KEYS[2] entries  hash    KEYS[3] rejected  sorted set
KEYS[4] counters hash          KEYS[5] days     hash    KEYS[6] typed  sorted set    KEYS[7] events  stream
KEYS[8] visitors stream
ARGV[1] entry id
Returns 1 when they left now, 0 when they were not waiting.
]]
-- @include clock
-- @include finish
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score then return 0 end
finish('c', { ARGV[1], score }, KEYS[8], KEYS[2], KEYS[3], now_ms, { typed = KEYS[6], events = KEYS[7], event = 'CANCEL' })
redis.call('HINCRBY', KEYS[4], 'cancelled', 1)
redis.call('HINCRBY', KEYS[5], 'cancelled:' .. today, 1)
redis.call('ZREM', KEYS[1], ARGV[1])
return 1
