#!lua
--[[
Gives a queue that nobody has claimed yet the key of its desk.

KEYS[1] settings  hash
ARGV[1] hash of the key
Returns 1, or 0 when it has a key already or there is no such queue (any more).
]]
-- @include clock
local settings = redis.call('HMGET', KEYS[1], 'tenant', 'deleted')
if not settings[1] or settings[2] == '1' then return 0 end
if redis.call('HSETNX', KEYS[1], 'admin_key', ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'changed_at', string.format('%d', now_us))
return 1
