#!lua
--[[
A website's visitor joins who may already have a place, or may go in at once. Does what `includes/join.lua` does, whose keys, arguments and
answer come first, and besides:

1. An invitation is good for so many places and a challenge for one (`redeem.lua`). Whoever brings one that is used up, or none that is
   good, gets no new place; the place they have they keep.
2. Whoever is inside already, and would get no place or another one, is answered with what they have.
3. While nobody else waits, a newcomer goes in at once: always where the queue is passed through; where `activation` is threshold, if there
   is a token and a place inside. Nobody passes those who wait, or may come back after a loss.

KEYS[7] bucket hash    KEYS[8] ready sorted set    KEYS[9] outbox sorted set    KEYS[10] sessions sorted set
KEYS[11] typed sorted set    KEYS[12] events stream    KEYS[13] entries of the invitation, set    KEYS[14] entry of the challenge, set
ARGV[10] how long releases wait after a loss, ms    ARGV[11] uses of the invitation, 0 for none    ARGV[12] when it ends, ms
ARGV[13] when the challenge ends, ms, 0 for none    ARGV[14] '1' where the application has a rate of its own, which only workers share out
ARGV[15] '1' where the join brought nothing that is good for a new place
Returns what `includes/join.lua` does, and these codes besides:
  -5 the challenge is used up, -6 the invitation is, -7 nothing good was brought
  2 went in now, 3 is inside: with the ms when in place of the position, and at the end the ms when their session ends
]]
-- @include join
-- @include admit
-- @include bucket
-- @include redeem
-- @include sessions
local function inside(id)
  local ends = id and id ~= '' and id ~= '-' and redis.call('ZSCORE', KEYS[10], id)
  if not ends or tonumber(ends) <= now_ms then return nil end
  local state, sequence, joined, finished, _, visitor = record_read_finished(redis.call('HGET', KEYS[3], id) or '')
  if state ~= 'r' then return nil end
  local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '1')
  return { 3, id, sequence, joined, finished, redis.call('ZCARD', KEYS[2]), epoch, visitor, now_ms, sequence, ends }
end

local refusal
if ARGV[13] ~= '0' and redeemed(KEYS[14], 1, ARGV[1], ARGV[6]) then refusal = -5 end
if ARGV[11] ~= '0' and redeemed(KEYS[13], tonumber(ARGV[11]), ARGV[1], ARGV[6]) then refusal = -6 end
if ARGV[15] == '1' then refusal = -7 end

local settings = redis.call('HMGET', KEYS[1], 'active', 'rate', 'state', 'max_active', 'opens_at', 'activation')
local passes = settings[3] == 'passthrough'
local threshold = settings[3] == 'open' and settings[6] == 'threshold' and ARGV[14] ~= '1'
if passes or threshold or refusal then
  for _, id in ipairs({ ARGV[4], ARGV[1], ARGV[6] }) do
    local _, _, _, _, successor = record_read_finished(redis.call('HGET', KEYS[3], id) or '')
    local found = inside(id) or inside(successor)
    if found then return found end
  end
end
local joined = join(refusal)
if joined[1] ~= 1 then return joined end
if ARGV[11] ~= '0' then redeem(KEYS[13], ARGV[1], ARGV[12]) end
if ARGV[13] ~= '0' then redeem(KEYS[14], ARGV[1], ARGV[13]) end
if not (passes or threshold) or joined[6] ~= 1 then return joined end

local lost_at = tonumber(redis.call('HGET', KEYS[4], 'lost_at') or '0')
if lost_at <= now_ms and now_ms - lost_at < tonumber(ARGV[10]) then return joined end
if threshold then
  local rate = tonumber(settings[2] or '0') or 0
  if rate <= 0 or (tonumber(settings[5] or '') or 0) > now_ms then return joined end
  if sessions_room(sessions_count(KEYS[10], now_ms), settings[4]) < 1 then return joined end
  local bucket = bucket_read(KEYS[7], rate, now_us, bucket_capacity(rate))
  if bucket.tokens < 1 - 1e-9 then return joined end
  bucket.tokens, bucket.idle = math.max(0, bucket.tokens - 1), false
  bucket_write(KEYS[7], bucket, now_us)
end
local id, sequence, lasting = joined[2], joined[3], session_ms(KEYS[1])
admit({ id, sequence }, 'r', KEYS[2], KEYS[6], KEYS[3], KEYS[8], KEYS[9], KEYS[4], KEYS[5], now_ms, today,
  { typed = KEYS[11], events = KEYS[12], event = 'SERVE', first = true, sessions = KEYS[10], session_ms = lasting })
local through = tonumber(redis.call('HGET', KEYS[4], 'let_in_through') or '0')
redis.call('HSET', KEYS[4], 'let_in_through', string.format('%d', math.max(through, sequence)))
joined[1], joined[5], joined[6], joined[11] = 2, now_ms, 0, session_end(now_ms, lasting)
return joined
