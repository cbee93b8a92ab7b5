#!lua flags=allow-oom
--[[
Gives the lock on a queue back, if the worker still holds it.

KEYS[1] lock  string
ARGV[1] worker
Returns 1 when it was freed, 0 when it was not this worker's.
]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
