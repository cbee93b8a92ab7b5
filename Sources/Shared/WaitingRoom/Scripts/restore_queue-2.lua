#!lua flags=allow-oom
--[[
Writes back a queue's settings that Redis has lost, or has an older state of. Where there were none, the queue's people are lost too: in the
same step that makes joining possible again, the queue begins to wait for their tickets (`loss.lua`).

KEYS[1] settings  hash    KEYS[2] counters  hash
ARGV[1] the highest sequence number that the caller knows, or 0
ARGV[2] when the state was written, µs of Redis's clock, 0 for one that was never changed    ARGV[3..] field, value, …
Returns 1, or 0 when what is there is as new.
]]
-- @include clock
-- @include loss
-- @include write_back
local restored, is_new = write_back(KEYS[1], tonumber(ARGV[2]), 3)
if restored and is_new and redis.call('EXISTS', KEYS[2]) == 0 then note_loss(KEYS[2], tonumber(ARGV[1]), now_ms) end
return restored and 1 or 0
