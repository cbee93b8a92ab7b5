#!lua
--[[
Newcomers join a website's queue, as many as come at once: what `includes/join.lua` does for one, where nothing has to be looked for. Most
of what a join costs is the call, so that ten at once cost a third each; a function that is only defined costs as much as a small command.

1. A queue that is gone, not active or closed takes nobody. Where people may go in at once, or are drawn by lot, it is left to
   `enter-14.lua`.
2. Whose id is known already, or is here twice, is left to `enter-14.lua`.
3. The others get the next sequence numbers in their order.

KEYS[1] settings   hash    KEYS[2] waiting  sorted set    KEYS[3] entries  hash
KEYS[4] counters   hash    KEYS[5] days     hash          KEYS[6] visitors stream
ARGV[1] highest sequence number that the caller knows     ARGV[2] '1' when any of the ids may be known already, '0' when all are random
ARGV[3..] id, visitor, …
Returns {code}: -1 no such queue or not active, -2 closed, -4 left to `enter-14.lua`; or
  {1, first sequence, joined ms, epoch, how many waited before, which of the people were left out, from 1 on, …}
]]
-- @include clock
-- @include place
-- @include record_join
-- @include opening
local settings = redis.call('HMGET', KEYS[1], 'active', 'epoch', 'state', 'activation', 'opens_at', 'closes_at', 'pre_queue_order')
if settings[1] ~= '1' then return { -1 } end
if is_closed(settings[3], settings[6], now_ms) then return { -2 } end
if settings[3] == 'passthrough' or settings[4] == 'threshold' or is_drawing(settings[5], settings[7], now_ms) then return { -4 } end

local answer, is_known = { 1, 0, now_ms, settings[2], redis.call('ZCARD', KEYS[2]) }, {}
local count = #ARGV / 2 - 1
if ARGV[2] == '1' then
  local ids, seen = {}, {}
  for i = 1, count do ids[i] = ARGV[1 + 2 * i] end
  local waiting, finished = redis.call('ZMSCORE', KEYS[2], unpack(ids)), redis.call('HMGET', KEYS[3], unpack(ids))
  for i, id in ipairs(ids) do
    if waiting[i] or finished[i] or seen[id] then
      is_known[i] = true
      answer[#answer + 1] = i
    end
    seen[id] = true
  end
  count = count + 5 - #answer
  if count == 0 then return answer end
end

local highest = tonumber(ARGV[1])
local sequence = redis.call('HINCRBY', KEYS[4], 'sequence', count) - count
if sequence < highest then
-- @include loss
  redis.call('HINCRBY', KEYS[4], 'sequence', -count)
  note_loss(KEYS[4], highest, now_ms)
  sequence = redis.call('HINCRBY', KEYS[4], 'sequence', count) - count
end
answer[2] = sequence + 1
local line = {}
for i = 1, #ARGV / 2 - 1 do
  if not is_known[i] then
    sequence = sequence + 1
    record_join(KEYS[6], sequence, now_ms, ARGV[2 + 2 * i])
    line[#line + 1] = place(sequence, now_s)
    line[#line + 1] = ARGV[1 + 2 * i]
  end
end
redis.call('HINCRBY', KEYS[5], 'joined:' .. today, count)
redis.call('ZADD', KEYS[2], unpack(line))
return answer
