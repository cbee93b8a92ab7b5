#!lua
--[[
Adds a service type, whose code no other of the queue may have.

KEYS[1] service types  hash of id to "<code>\31<name>"
ARGV[1] id    ARGV[2] code    ARGV[3] name    ARGV[4] most service types of a queue
Returns 1, 0 when the code is taken (upper and lower case are the same), -1 when there are too many.
]]
local types = redis.call('HVALS', KEYS[1])
for _, value in ipairs(types) do
  if string.lower(string.match(value, '^[^\31]*')) == string.lower(ARGV[2]) then return 0 end
end
if #types >= tonumber(ARGV[4]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '\31' .. ARGV[3])
return 1
