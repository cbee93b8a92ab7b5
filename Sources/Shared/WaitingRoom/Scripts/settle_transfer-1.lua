#!lua flags=allow-oom
--[[
Forgets that somebody is on the way to another queue, once they have arrived; not when they have come back and been sent on meanwhile.

KEYS[1] transfers  hash
ARGV[1] entry id    ARGV[2] what the hash had when they arrived
Returns 1 when forgotten, else 0.
]]
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
