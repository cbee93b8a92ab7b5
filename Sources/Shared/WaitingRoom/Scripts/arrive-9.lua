#!lua flags=allow-oom
--[[
Takes on somebody whom another queue has handed over (`hand_over-16.lua`): at the end of the line, or, given back by
the queue to which this one had handed them over, at the place they had. Repeating it changes nothing, however late.

KEYS[1] waiting  sorted set    KEYS[2] entries hash    KEYS[3] ready sorted set    KEYS[4] counters hash
KEYS[5] days     hash          KEYS[6] typed   sorted set    KEYS[7] events stream    KEYS[8] transfers hash
KEYS[9] visitors stream
ARGV[1] entry id    ARGV[2] visitor    ARGV[3] "<queue>:<entry>" where they come from    ARGV[4] 'to' or 'back'
Returns 1 when they came now, 0 when they had come before.
]]
-- @include clock
-- @include put_back
local id, visitor = ARGV[1], ARGV[2]
local record = redis.call('HGET', KEYS[2], id)
if ARGV[4] == 'to' then
  if record or redis.call('ZSCORE', KEYS[1], id) then return 0 end
  local sequence = redis.call('HINCRBY', KEYS[4], 'sequence', 1)
  record_join(KEYS[9], sequence, now_ms, visitor)
  redis.call('HINCRBY', KEYS[5], 'joined:' .. today, 1)
  walk_in_waits(KEYS[6], id, sequence, visitor)
  event(KEYS[7], 'JOIN', id, sequence, visitor, '', ARGV[3])
  redis.call('ZADD', KEYS[1], place(sequence, now_s), id)
  return 1
end
local sequence, joined, finished, link, detail, _
if record then _, sequence, joined, finished, link, _, detail = record_read_finished(record) end
if detail ~= 't' or link ~= '>' .. ARGV[3] then return 0 end
put_back({ waiting = KEYS[1], entries = KEYS[2], ready = KEYS[3], counters = KEYS[4], days = KEYS[5], typed = KEYS[6] }, id, sequence,
  joined, finished, visitor, now_s)
redis.call('HDEL', KEYS[8], id)
event(KEYS[7], 'RETURN', id, sequence, visitor, '', ARGV[3])
return 1
