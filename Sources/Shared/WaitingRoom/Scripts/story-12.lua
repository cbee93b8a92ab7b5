#!lua flags=no-writes
--[[
Tells of one person what their record does not say: the place they had when they joined, and what became of the callback.

Everybody who has finished since they joined is in one of the indexes by the time when, until a sweep forgets them: those ahead of them
were as many as had joined before and not finished by then. Of one who joined before a loss, or before the latest opening, it is not known.

KEYS[1] counters hash          KEYS[2] entries   hash    KEYS[3] ready    sorted set    KEYS[4] expired sorted set
KEYS[5] rejected sorted set    KEYS[6] outbox    sorted set    KEYS[7] callbacks hash   KEYS[8] dead    sorted set
KEYS[9] dead_letters hash      KEYS[10] deliveries hash        KEYS[11] waiting sorted set
KEYS[12] visitors stream
ARGV[1] entry id               ARGV[2] retention of finished entries, ms
Returns {} for one who is not known, else {place when they joined or 0 where it is not known any more, state of the callback, attempts, last
  status, error, ms of `callback.lua`}
]]
-- @include clock
-- @include callback
-- @include place
-- @include record
local score = redis.call('ZSCORE', KEYS[11], ARGV[1])
local sequence, joined, _
if score then
  sequence = place_sequence(tonumber(score))
  joined = record_waiting(KEYS[12], KEYS[2], ARGV[1], sequence)
else
  _, sequence, joined = record_read_finished(redis.call('HGET', KEYS[2], ARGV[1]) or '')
end
if not joined then return {} end
local at = 0
local before = redis.call('HMGET', KEYS[1], 'skipped', 'lost_at', 'draw_from', 'draw_slots')
local drawn_through = tonumber(before[3] or '0') + tonumber(before[4] or '0')
if joined > now_ms - tonumber(ARGV[2]) and joined > tonumber(before[2] or '0') and sequence > drawn_through then
  local gone = 0
  for _, total in ipairs(redis.call('HMGET', KEYS[1], 'released', 'expired', 'cancelled')) do gone = gone + tonumber(total or 0) end
  for i = 3, 5 do gone = gone - redis.call('ZCOUNT', KEYS[i], joined, '+inf') end
  at = math.max(1, sequence - tonumber(before[1] or '0') - gone)
end
return { at, callback({ outbox = KEYS[6], callbacks = KEYS[7], dead = KEYS[8], dead_letters = KEYS[9], deliveries = KEYS[10] }, ARGV[1]) }
