#!lua flags=allow-oom
--[[
Takes note that somebody's pass is good no more, in the order of time, so that gateways can ask for what is new only; their session ends.

KEYS[1] revoked  sorted set: entry id by the ms of its revocation    KEYS[2] sessions sorted set
ARGV[1] entry id    ARGV[2] ms for which a pass can be good at most: what was revoked before is forgotten
Returns nothing.
]]
-- @include clock
local latest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now_ms - ARGV[2])
-- A clock that was set back must not hide it behind those that are known already.
redis.call('ZADD', KEYS[1], math.max(now_ms, tonumber(latest or '0')), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[1])
