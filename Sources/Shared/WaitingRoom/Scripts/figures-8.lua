#!lua flags=no-writes
--[[
Tells how a queue does now.

KEYS[1] waiting  sorted set    KEYS[2] entries   hash    KEYS[3] ready  sorted set    KEYS[4] counters hash
KEYS[5] outbox   sorted set    KEYS[6] callbacks hash    KEYS[7] dead   sorted set
KEYS[8] sessions sorted set
ARGV[1] waits of those let in for so long, ms; 0 = since this hour began, -1 = since this minute began
Returns {now ms, waiting, joined, released, expired, cancelled since the queue was made, released in the last minute,
  median wait ms, 95th percentile ms, -1 where nobody was let in, callbacks owed, callbacks that failed and will be tried again, dead
  letters, when a loss was found out last, ms or 0, people put back after losses, how many are inside}
]]
-- @include clock
-- @include waits
local totals = redis.call('HMGET', KEYS[4], 'sequence', 'released', 'expired', 'cancelled', 'skipped', 'lost_at', 'restored')
local window = tonumber(ARGV[1])
if window <= 0 then window = now_ms % (window == 0 and 3600000 or 60000) end
local p50, p95 = waits(KEYS[3], KEYS[2], now_ms - window, 200)
return { now_ms, redis.call('ZCARD', KEYS[1]), tonumber(totals[1] or 0) - tonumber(totals[5] or 0), tonumber(totals[2] or 0), tonumber(totals[3] or 0),
  tonumber(totals[4] or 0), redis.call('ZCOUNT', KEYS[3], now_ms - 60000, '+inf'), p50, p95, redis.call('ZCARD', KEYS[5]),
  redis.call('HLEN', KEYS[6]), redis.call('ZCARD', KEYS[7]), tonumber(totals[6] or 0), tonumber(totals[7] or 0),
  redis.call('ZCOUNT', KEYS[8], '(' .. string.format('%d', now_ms), '+inf') }
