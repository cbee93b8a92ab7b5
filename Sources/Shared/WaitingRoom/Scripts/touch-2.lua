#!lua flags=allow-oom
--[[
Notes a sign of life of each of the people named who still wait. Their places do not change (see place.lua).

KEYS[1] waiting  sorted set    KEYS[2] counters  hash
ARGV[1] highest sequence number that the caller knows; one that the counter has not reached tells of a loss    ARGV[2..] entry ids
Returns {what `loss_state` of `loss.lua` tells, {the number in the list of each who does not wait}}
]]
-- @include clock
-- @include loss
-- @include place
check_sequence(KEYS[2], tonumber(ARGV[1]), now_ms)
local scores = redis.call('ZMSCORE', KEYS[1], unpack(ARGV, 2))
local line, gone = {}, {}
for i = 1, #ARGV - 1 do
  if scores[i] then
    line[#line + 1] = place(place_sequence(tonumber(scores[i])), now_s)
    line[#line + 1] = ARGV[i + 1]
  else
    gone[#gone + 1] = i
  end
end
if #line > 0 then redis.call('ZADD', KEYS[1], 'XX', unpack(line)) end
return { loss_state(KEYS[2], now_ms), gone }
