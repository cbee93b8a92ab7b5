#!lua
--[[
Makes a record invisible: frees its slug, unless that is another's by now, and takes it out of its index.

KEYS[1] slugs  hash of slug to id    KEYS[2] index  sorted set
ARGV[1] slug    ARGV[2] id
Returns 1 when it was visible, else 0.
]]
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return redis.call('ZREM', KEYS[2], ARGV[2])
