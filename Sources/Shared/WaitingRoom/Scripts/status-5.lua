#!lua flags=no-writes
--[[
Tells where one person stands, whatever became of them.

KEYS[1] waiting  sorted set    KEYS[2] entries  hash    KEYS[3] visitors  stream
KEYS[4] sessions sorted set    KEYS[5] revoked  sorted set
ARGV[1] entry id
Returns {} when nothing is known of them, else
  {'w', sequence, joined ms, 0, position, length, silence s, visitor, now ms, '-', ''} or
  {state of a finished record (`record.lua`), sequence, joined ms, finished ms, 0, length, 0, visitor, now ms, link,
   when their session ends, ms; 0 when it was ended, '' when nothing is known of one}
]]
-- @include clock
-- @include place
-- @include record
-- @include sessions
local length = redis.call('ZCARD', KEYS[1])
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score then
  score = tonumber(score)
  local sequence = place_sequence(score)
  local joined, visitor = record_waiting(KEYS[3], KEYS[2], ARGV[1], sequence)
  if not joined then return {} end
  return { 'w', sequence, joined, 0, redis.call('ZRANK', KEYS[1], ARGV[1]) + 1, length,
    place_silence(score, now_s), visitor, now_ms, '-', '' }
end
local record = redis.call('HGET', KEYS[2], ARGV[1])
if not record then return {} end
local state, sequence, joined, finished, link, visitor, detail = record_read_finished(record)
if not state then return {} end
local ends = ''
if state == 'r' then
  ends = redis.call('ZSCORE', KEYS[4], ARGV[1]) or session_revoked(KEYS[5], ARGV[1], finished) and 0 or ''
end
return { state .. detail, sequence, joined, finished, 0, length, 0, visitor, now_ms, link, ends }
