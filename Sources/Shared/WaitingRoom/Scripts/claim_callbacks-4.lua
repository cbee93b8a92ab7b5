#!lua flags=allow-oom
--[[
Claims callbacks that are due: each is put off by a lease, so that no other worker sends it meanwhile and that it comes back when this
worker dies before settling it. One that is sent again after its person was forgotten is made from its dead letter. One that is due later
than any pause allows was put off before the clock went back: it is due now.

KEYS[1] outbox  sorted set    KEYS[2] entries  hash    KEYS[3] callbacks  hash of "<attempts> …" of those that failed before
KEYS[4] dead_letters hash
ARGV[1] most to claim         ARGV[2] lease, ms
Returns {ms until the next one is due or -1, {id, sequence, joined ms, released ms, attempts so far, visitor id, …}, now ms}
]]
-- @include clock
-- @include record
local LONGEST_PAUSE_MS = 15 * 60 * 1000
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now_ms + LONGEST_PAUSE_MS, '+inf', 'LIMIT', 0, tonumber(ARGV[1]))) do
  redis.call('ZADD', KEYS[1], 'XX', now_ms, id)
end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms, 'LIMIT', 0, tonumber(ARGV[1]))
local claimed = {}
for _, id in ipairs(due) do
  local record = redis.call('HGET', KEYS[2], id)
  local state, sequence, joined, finished, visitor, _
  if record then
    state, sequence, joined, finished, _, visitor = record_read_finished(record)
  else
    local letter = redis.call('HGET', KEYS[4], id)
    if letter then
      letter = cjson.decode(letter)
      state, sequence, joined, finished, visitor = 'r', letter.sequence, letter.joined, letter.released, letter.visitor
    end
  end
  if state == 'r' then
    redis.call('ZADD', KEYS[1], 'XX', now_ms + tonumber(ARGV[2]), id)
    local failures = redis.call('HGET', KEYS[3], id)
    local attempts = failures and tonumber(string.match(failures, '^(%d+)')) or 0
    local n = #claimed
    claimed[n + 1], claimed[n + 2], claimed[n + 3], claimed[n + 4] = id, sequence, joined, finished
    claimed[n + 5], claimed[n + 6] = attempts, visitor
  else
    redis.call('ZREM', KEYS[1], id)
    redis.call('HDEL', KEYS[3], id)
  end
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { first[2] and math.max(0, tonumber(first[2]) - now_ms) or -1, claimed, now_ms }
