#!lua flags=allow-oom
--[[
Lets somebody's session last longer, and lets one that Redis has lost last on; it never makes one shorter.

KEYS[1] sessions sorted set    KEYS[2] revoked  sorted set
ARGV[1] entry id    ARGV[2] how long it is to last from now, ms    ARGV[3] when they were let in, ms
Returns the ms when it ends by this server's clock, or 0 when the pass was revoked or the session ended by the site.
]]
-- @include clock
-- @include sessions
if session_revoked(KEYS[2], ARGV[1], tonumber(ARGV[3])) then return 0 end
local ends = session_end(now_ms, tonumber(ARGV[2]))
redis.call('ZADD', KEYS[1], 'GT', ends, ARGV[1])
return tonumber(ends)
