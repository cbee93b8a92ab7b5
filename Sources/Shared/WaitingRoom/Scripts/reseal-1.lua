#!lua flags=allow-oom
--[[
Puts another text in a field of a record, unless somebody has changed that field meanwhile.

KEYS[1] record  hash
ARGV[1] field    ARGV[2] text that it was made from    ARGV[3] text to put there
Returns 1, or 0 when the field holds something else by now.
]]
-- @include clock
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], 'changed_at', string.format('%d', now_us))
return 1
