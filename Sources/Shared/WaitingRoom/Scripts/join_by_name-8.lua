#!lua
--[[
Somebody joins a walk-in line by name: the same step as any join (`includes/join.lua`), found by their service type as well, and an event.

KEYS[1..6], ARGV and answer as in `includes/join.lua`    KEYS[7] typed  sorted set    KEYS[8] events  stream
]]
-- @include join
-- @include walk_in
local joined = join()
if joined[1] == 1 then
  walk_in_waits(KEYS[7], joined[2], joined[3], joined[8])
  event(KEYS[8], 'JOIN', joined[2], joined[3], joined[8])
end
return joined
