#!lua
--[[
Makes a record visible that was written before: claims its slug and adds it to its indexes, in one step. Until then nobody can
find it, so a writer that dies in between leaves nothing half made.

KEYS[1] slugs  hash of slug to id    KEYS[2] index  sorted set by ms of creation    KEYS[3] a second index, or the same
ARGV[1] slug    ARGV[2] id
Returns ms of creation, or -1 when the slug is another's.
]]
-- @include clock
local holder = redis.call('HGET', KEYS[1], ARGV[1])
if holder and holder ~= ARGV[2] then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], 'NX', now_ms, ARGV[2])
redis.call('ZADD', KEYS[3], 'NX', now_ms, ARGV[2])
return now_ms
