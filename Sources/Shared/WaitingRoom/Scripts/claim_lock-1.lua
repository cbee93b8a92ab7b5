#!lua flags=allow-oom
--[[
Takes or renews the lock on a queue (Redis manual, "Distributed Locks", single instance). A lock that would live longer than its configured
life was set before the clock went back: it is taken over.

KEYS[1] lock  string
ARGV[1] worker    ARGV[2] life, ms
Returns 1 when the worker holds it, 2 when it was taken from nobody or another, 0 when another holds it.
]]
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
local life = tonumber(ARGV[2])
if holder and redis.call('PTTL', KEYS[1]) <= life then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', life)
return 2
