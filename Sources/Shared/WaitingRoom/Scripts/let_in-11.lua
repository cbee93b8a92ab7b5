#!lua flags=allow-oom
--[[
Lets one waiting person in by hand, wherever they stand. It spends nothing of the token bucket, and goes beyond the capacity.

KEYS[1] waiting sorted set    KEYS[2] entries  hash    KEYS[3] ready  sorted set    KEYS[4] outbox  sorted set
KEYS[5] counters hash         KEYS[6] days     hash    KEYS[7] typed  sorted set    KEYS[8] events  stream
KEYS[9] settings hash         KEYS[10] visitors stream      KEYS[11] sessions sorted set
ARGV[1] entry id
Returns 1 when they were let in now, 0 when they were not waiting, -1 when the queue is gone.
]]
-- @include clock
-- @include admit
-- @include sessions
if redis.call('HGET', KEYS[9], 'deleted') ~= '0' then return -1 end
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score then return 0 end
return (admit({ ARGV[1], score }, 'r', KEYS[1], KEYS[10], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], now_ms, today,
  { typed = KEYS[7], events = KEYS[8], event = 'SERVE', sessions = KEYS[11], session_ms = session_ms(KEYS[9]) }))
