#!lua flags=allow-oom
--[[
Lets in as many people as the queue's token bucket allows now. Safe under any number of callers at once: the bucket lives here, so a
lock held by nobody, or by two workers, changes nothing. It frees memory, so it runs when memory is full too.

1. After a loss nobody is let in until the visitors' tickets had time to come back (`loss.lua`). A worker that knows of people let in beyond
   those that Redis knows of tells of a loss.
2. Refill the bucket (`bucket.lua`).
3. Take out at most as many people as there are whole tokens, first in line first.
4. Tell when to come back.

KEYS[1] settings hash    KEYS[2] waiting sorted set    KEYS[3] entries  hash    KEYS[4] bucket hash
KEYS[5] ready sorted set KEYS[6] outbox  sorted set    KEYS[7] counters hash    KEYS[8] days   hash
KEYS[9] typed    sorted set    KEYS[10] events stream        KEYS[11] visitors stream
ARGV[1] most people to let in at once                  ARGV[2] how long releases wait after a loss, ms
ARGV[3] highest sequence number that the caller knows   ARGV[4] highest that it knows to have been let in
Returns {released, still waiting, µs until the next token or -1 for no reason to come back soon, {id, sequence, waited ms, …}, now ms, the
  queue's counter, highest sequence number let in, 1 when this call found a loss else 0}
]]
-- @include clock
-- @include admit
-- @include bucket
-- @include loss
local waiting = redis.call('ZCARD', KEYS[2])
local settings = redis.call('HMGET', KEYS[1], 'active', 'rate', 'state')
if not settings[1] then return { 0, waiting, -1, {}, now_ms, 0, 0, 0 } end
local rate = tonumber(settings[2] or '0')

local known = redis.call('HMGET', KEYS[7], 'sequence', 'let_in_through', 'lost_at')
local sequence, through, lost_at = tonumber(known[1] or '0'), tonumber(known[2] or '0'), tonumber(known[3] or '0')
local held_ms = lost_at > now_ms and 0 or lost_at + tonumber(ARGV[2]) - now_ms
if tonumber(ARGV[3]) > sequence or tonumber(ARGV[4]) > through then
  -- One that somebody else has found already is the same.
  if tonumber(ARGV[3]) > sequence or held_ms <= 0 then note_loss(KEYS[7], tonumber(ARGV[3]), now_ms) end
  redis.call('HSET', KEYS[7], 'let_in_through', ARGV[4])
  return { 0, waiting, -1, {}, now_ms, tonumber(redis.call('HGET', KEYS[7], 'sequence')), tonumber(ARGV[4]), 1 }
end
if settings[1] ~= '1' or settings[3] == 'paused' or not rate or rate <= 0 then
  return { 0, waiting, -1, {}, now_ms, sequence, through, 0 }
end
if held_ms > 0 then return { 0, waiting, held_ms * 1000, {}, now_ms, sequence, through, 0 } end

local bucket = bucket_read(KEYS[4], rate, now_us)
local due = math.min(math.floor(bucket.tokens + 1e-9), waiting, tonumber(ARGV[1]))
bucket.tokens, bucket.idle = math.max(0, bucket.tokens - due), due == waiting
-- Spent before anybody is let in: should a later line fail, nobody goes twice on the same token.
bucket_write(KEYS[4], bucket, now_us)
if due == 0 and waiting == 0 then return { 0, 0, -1, {}, now_ms, sequence, through, 0 } end
local released, people = 0, {}
if due > 0 then
  released, people = admit(redis.call('ZRANGE', KEYS[2], 0, due - 1, 'WITHSCORES'), 'r', KEYS[2], KEYS[11], KEYS[3], KEYS[5], KEYS[6], KEYS[7],
    KEYS[8], now_ms, today, { typed = KEYS[9], events = KEYS[10], event = 'SERVE', first = true })
  if released > 0 and people[#people - 1] > through then
    through = people[#people - 1]
    redis.call('HSET', KEYS[7], 'let_in_through', string.format('%d', through))
  end
end
waiting = waiting - due
return { released, waiting, waiting > 0 and math.max(0, math.ceil((1 - bucket.tokens) * 60000000 / rate)) or -1, people, now_ms, sequence,
  through, 0 }
