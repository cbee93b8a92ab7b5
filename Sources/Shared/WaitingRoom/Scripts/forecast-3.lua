#!lua flags=no-writes
--[[
Tells who is the last in line, and what a forecast of their wait rests on.

KEYS[1] waiting sorted set    KEYS[2] counters hash    KEYS[3] sessions sorted set
Returns {how many wait, sequence of the last, how many are inside, what `flow_rates` of `flow.lua` tells}, or {} when nobody waits.
]]
-- @include clock
-- @include flow
-- @include place
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if not last[2] then return {} end
return { redis.call('ZCARD', KEYS[1]), place_sequence(tonumber(last[2])), redis.call('ZCOUNT', KEYS[3], '(' .. string.format('%d', now_ms), '+inf'),
  flow_rates(redis.call('HGET', KEYS[2], 'flow')) }
