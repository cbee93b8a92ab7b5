#!lua flags=allow-oom
--[[
Changes fields of a record that exists and is not deleted. It runs when memory is full too: that is when a rate has to be changed.

KEYS[1] record  hash
ARGV    field, value, …
Returns when, µs of Redis's clock, or 0 when there is no such record.
]]
-- @include clock
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[1], 'deleted') == '1' then return 0 end
redis.call('HSET', KEYS[1], 'changed_at', string.format('%d', now_us), unpack(ARGV))
return now_us
