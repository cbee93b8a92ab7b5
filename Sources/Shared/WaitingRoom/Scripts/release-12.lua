#!lua flags=allow-oom
--[[
Lets in as many people as the queue's token bucket and its capacity allow now. Safe under any number of callers at once: both live here, so a
lock held by nobody, or by two workers, changes nothing. It frees memory, so it runs when memory is full too.

1. After a loss nobody is let in until the visitors' tickets had time to come back (`loss.lua`). A worker that knows of people let in beyond
   those that Redis knows of tells of a loss.
2. Nobody goes before the opening. Where the line is passed through, rates, capacity and opening do not count.
3. Refill the bucket (`bucket.lua`), and count who is inside (`sessions.lua`).
4. Take out at most as many people as there are whole tokens and places inside, first in line first.
5. Take note of how the line moves (`flow.lua`), and tell when to come back.

KEYS[1] settings hash    KEYS[2] waiting sorted set    KEYS[3] entries  hash    KEYS[4] bucket hash
KEYS[5] ready sorted set KEYS[6] outbox  sorted set    KEYS[7] counters hash    KEYS[8] days   hash
KEYS[9] typed    sorted set    KEYS[10] events stream        KEYS[11] visitors stream    KEYS[12] sessions sorted set
ARGV[1] most people to let in at once                  ARGV[2] how long releases wait after a loss, ms
ARGV[3] highest sequence number that the caller knows   ARGV[4] highest that it knows to have been let in
ARGV[5] the queue's part of its application's rate, in people per thousand minutes    ARGV[6] how many it grants now
ARGV[7] µs until it grants the next; '-' for these three where the application has no rate
Returns {released, still waiting, µs until the next person may go or -1 for no reason to come back soon, {id, sequence, waited ms, …}, now ms,
  the queue's counter, highest sequence number let in, 1 when this call found a loss else 0, how many are inside}
]]
-- @include clock
-- @include admit
-- @include bucket
-- @include flow
-- @include loss
-- @include sessions
local waiting, active = redis.call('ZCARD', KEYS[2]), sessions_count(KEYS[12], now_ms)
local settings = redis.call('HMGET', KEYS[1], 'active', 'rate', 'state', 'max_active', 'opens_at', 'activation')
if not settings[1] then return { 0, waiting, -1, {}, now_ms, 0, 0, 0, active } end
local rate, opens_at, passes = tonumber(settings[2] or '0') or 0, tonumber(settings[5] or '') or 0, settings[3] == 'passthrough'

local known = redis.call('HMGET', KEYS[7], 'sequence', 'let_in_through', 'lost_at')
local sequence, through, lost_at = tonumber(known[1] or '0'), tonumber(known[2] or '0'), tonumber(known[3] or '0')
local held_ms = lost_at > now_ms and 0 or lost_at + tonumber(ARGV[2]) - now_ms
if tonumber(ARGV[3]) > sequence or tonumber(ARGV[4]) > through then
  -- One that somebody else has found already is the same.
  if tonumber(ARGV[3]) > sequence or held_ms <= 0 then note_loss(KEYS[7], tonumber(ARGV[3]), now_ms) end
  redis.call('HSET', KEYS[7], 'let_in_through', ARGV[4])
  return { 0, waiting, -1, {}, now_ms, tonumber(redis.call('HGET', KEYS[7], 'sequence')), tonumber(ARGV[4]), 1, active }
end
local part = passes and '-' or ARGV[5]
if settings[1] ~= '1' or settings[3] == 'paused' or (rate <= 0 and not passes) then
  flow_note(KEYS[7], waiting, false, part, now_ms)
  return { 0, waiting, -1, {}, now_ms, sequence, through, 0, active }
end
if not passes and opens_at > now_ms then held_ms = math.max(held_ms, opens_at - now_ms) end
if held_ms > 0 then
  flow_note(KEYS[7], waiting, false, part, now_ms)
  return { 0, waiting, waiting > 0 and held_ms * 1000 or -1, {}, now_ms, sequence, through, 0, active }
end

local due, room, bucket = math.min(waiting, tonumber(ARGV[1])), math.huge, nil
if not passes then
  bucket, room = bucket_read(KEYS[4], rate, now_us), sessions_room(active, settings[4])
  due = math.min(due, math.floor(bucket.tokens + 1e-9), tonumber(ARGV[6]) or math.huge, room)
  -- Where people may go in at once while nobody waits, a second's worth of credit is theirs.
  bucket.tokens, bucket.idle = math.max(0, bucket.tokens - due), due == waiting and settings[6] ~= 'threshold'
  -- Spent before anybody is let in: should a later line fail, nobody goes twice on the same token.
  bucket_write(KEYS[4], bucket, now_us)
end
if due == 0 and waiting == 0 then return { 0, 0, -1, {}, now_ms, sequence, through, 0, active } end
local released, people = 0, {}
if due > 0 then
  released, people = admit(redis.call('ZRANGE', KEYS[2], 0, due - 1, 'WITHSCORES'), 'r', KEYS[2], KEYS[11], KEYS[3], KEYS[5], KEYS[6], KEYS[7],
    KEYS[8], now_ms, today,
    { typed = KEYS[9], events = KEYS[10], event = 'SERVE', first = true, sessions = KEYS[12], session_ms = session_ms(KEYS[1]) })
  if released > 0 and people[#people - 1] > through then
    through = people[#people - 1]
    redis.call('HSET', KEYS[7], 'let_in_through', string.format('%d', through))
  end
end
flow_note(KEYS[7], waiting, true, part, now_ms)
waiting = waiting - due
local next_us = -1
if waiting > 0 then
  next_us = passes and 0 or math.max(tonumber(ARGV[7]) or 0, math.ceil((1 - bucket.tokens) * 60000000 / rate))
  if due == room then next_us = math.max(next_us, 1000 * ((sessions_next(KEYS[12], now_ms) or now_ms) - now_ms)) end
end
return { released, waiting, next_us, people, now_ms, sequence, through, 0, active + released }
