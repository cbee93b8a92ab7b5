#!lua flags=allow-oom
--[[
Notes a sign of life of each of the people named who still wait. Their places do not change (see place.lua).

KEYS[1] waiting  sorted set
ARGV    entry ids
Returns how many of them wait.
]]
-- @include clock
-- @include place
local waiting = 0
local scores = redis.call('ZMSCORE', KEYS[1], unpack(ARGV))
for i = 1, #ARGV do
  if scores[i] then
    redis.call('ZADD', KEYS[1], 'XX', place(place_sequence(tonumber(scores[i])), now_s), ARGV[i])
    waiting = waiting + 1
  end
end
return waiting
