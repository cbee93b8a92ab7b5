#!lua
--[[
Makes a record visible that was written before: claims its slug and adds it to its index, in one step. Until then nobody can
find it, so a writer that dies in between leaves nothing half made. One that was visible before, and was lost, keeps its place.

KEYS[1] slugs  hash of slug to id    KEYS[2] index  sorted set by ms of creation
ARGV[1] slug    ARGV[2] id    ARGV[3] ms of creation, 0 for now
Returns the ms by which it is listed, or -1 when the slug is another's.
]]
-- @include clock
local created = ARGV[3] == '0' and now_ms or tonumber(ARGV[3])
local holder = redis.call('HGET', KEYS[1], ARGV[1])
if holder and holder ~= ARGV[2] then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], 'NX', created, ARGV[2])
return created
