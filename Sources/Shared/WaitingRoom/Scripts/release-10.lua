#!lua flags=allow-oom
--[[
Lets in as many people as the queue's token bucket allows now. Safe under any number of callers at once: the bucket lives here, so a
lock held by nobody, or by two workers, changes nothing. It frees memory, so it runs when memory is full too.

1. Refill: tokens grow by rate / 60 a second since the last call, up to max(1, rate / 60), one second's worth. After a time with nobody
   waiting at most one token is left: credit is not banked. A clock that went back adds nothing.
2. Take out at most as many people as there are whole tokens, first in line first.
3. Tell when to come back.

KEYS[1] settings hash    KEYS[2] waiting sorted set    KEYS[3] entries  hash    KEYS[4] bucket hash
KEYS[5] ready sorted set KEYS[6] outbox  sorted set    KEYS[7] counters hash    KEYS[8] days   hash
KEYS[9] typed    sorted set    KEYS[10] events stream
ARGV[1] most people to let in at once
Returns {released, still waiting, µs until the next token or -1 for no reason to come back soon, {id, sequence, waited ms, …}}
]]
-- @include clock
-- @include admit
local waiting = redis.call('ZCARD', KEYS[2])
local settings = redis.call('HMGET', KEYS[1], 'active', 'rate', 'state')
local rate = tonumber(settings[2] or '0')
if settings[1] ~= '1' or settings[3] == 'paused' or not rate or rate <= 0 then return { 0, waiting, -1, {} } end

local bucket = redis.call('HMGET', KEYS[4], 'tokens', 'at_us', 'idle')
local at = tonumber(bucket[2] or now_us)
local capacity = math.max(1, rate / 60)
local tokens = tonumber(bucket[1] or '1') + math.max(0, now_us - at) * rate / 60000000
tokens = math.min(bucket[3] == '1' and 1 or capacity, tokens)

local due = math.min(math.floor(tokens + 1e-9), waiting, tonumber(ARGV[1]))
tokens = math.max(0, tokens - due)
-- Spent before anybody is let in: should a later line fail, nobody goes twice on the same token.
redis.call('HSET', KEYS[4], 'tokens', string.format('%.17g', tokens), 'at_us', string.format('%d', now_us),
  'idle', due == waiting and '1' or '0')
if due == 0 and waiting == 0 then return { 0, 0, -1, {} } end
local released, people = 0, {}
if due > 0 then
  released, people = admit(redis.call('ZRANGE', KEYS[2], 0, due - 1, 'WITHSCORES'), 'r', KEYS[2], KEYS[3], KEYS[5], KEYS[6], KEYS[7],
    KEYS[8], now_ms, today, { typed = KEYS[9], events = KEYS[10], event = 'SERVE' })
end
waiting = waiting - due
return { released, waiting, waiting > 0 and math.max(0, math.ceil((1 - tokens) * 60000000 / rate)) or -1, people }
