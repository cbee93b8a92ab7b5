#!lua
--[[
Lets somebody's session last longer, and lets one that Redis has lost last on; it never makes one shorter.

KEYS[1] sessions sorted set    KEYS[2] revoked  sorted set
ARGV[1] entry id    ARGV[2] when the session is to end, ms
Returns 1, or 0 when the pass was revoked or the session ended by the site.
]]
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
return 1
