#!lua
--[[
Puts somebody back whom Redis has lost, as their ticket says: at their old place, or as let in when a worker has remembered that they were.
It is lost who has no record although nobody can have forgotten them: finished people are kept for the retention time, and this one has
not even joined for so long.

KEYS[1] settings hash    KEYS[2] waiting  sorted set    KEYS[3] entries hash    KEYS[4] counters hash    KEYS[5] tombstones sorted set
KEYS[6] ready sorted set KEYS[7] outbox   sorted set    KEYS[8] days    hash    KEYS[9] typed sorted set KEYS[10] events stream
KEYS[11] visitors stream KEYS[12] sessions sorted set
ARGV[1] entry id    ARGV[2] sequence    ARGV[3] joined ms    ARGV[4] visitor    ARGV[5] epoch    ARGV[6] retention of finished entries, ms
Returns {1 when they wait again, 2 when they are let in again, 0 when they were not lost or it cannot be known, what
  `loss_state` of `loss.lua` tells}
]]
-- @include clock
-- @include admit
-- @include loss
-- @include sessions
-- @include tombstone
local id, sequence, joined = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local settings = redis.call('HMGET', KEYS[1], 'active', 'epoch')
if settings[1] ~= '1' or settings[2] ~= ARGV[5] then return { 0 } end
if redis.call('ZSCORE', KEYS[2], id) or redis.call('HEXISTS', KEYS[3], id) == 1 then return { 0 } end
if now_ms - joined >= tonumber(ARGV[6]) then return { 0 } end

if not check_sequence(KEYS[4], sequence, now_ms) and sequence > tonumber(redis.call('HGET', KEYS[4], 'lost_through') or '0') then
  note_loss(KEYS[4], sequence, now_ms)
end
redis.call('HINCRBY', KEYS[4], 'restored', 1)
redis.call('HINCRBY', KEYS[4], 'skipped', -1)
record_return(KEYS[3], id, joined, ARGV[4])
local released = tombstone(KEYS[5], sequence)
if released then
  admit({ id, sequence }, 'r', KEYS[2], KEYS[11], KEYS[3], KEYS[6], KEYS[7], KEYS[4], KEYS[8], released, math.floor(released / 86400000),
    { typed = KEYS[9], events = KEYS[10], event = 'SERVE', sessions = KEYS[12], session_ms = session_ms(KEYS[1]) })
  return { 2, loss_state(KEYS[4], now_ms) }
end
redis.call('ZADD', KEYS[2], place(sequence, now_s), id)
walk_in_waits(KEYS[9], id, sequence, ARGV[4])
return { 1, loss_state(KEYS[4], now_ms) }
