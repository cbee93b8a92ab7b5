#!lua flags=allow-oom
--[[
Gives up on people who have been silent for longer than the queue allows, and forgets finished ones after the retention time, but nobody
whose callback is still owed: without the record it could not be sent (when every worker was away for so long); and nobody who is inside
still. Looks at a bounded number of people a call; the caller comes back with both cursors until they are 0.

Silence counts only while somebody watches: when no sweep has run for a while, or ever (Redis or every worker was away, so nobody's polls
could be noted; or Redis's clock was set before anybody looked), or the last one lies in the future (the clock was set back), nobody is given
up before one full life of silence from now.

KEYS[1] settings hash          KEYS[2] waiting sorted set    KEYS[3] entries  hash          KEYS[4] expired sorted set
KEYS[5] counters hash          KEYS[6] days    hash          KEYS[7] ready    sorted set    KEYS[8] rejected sorted set
KEYS[9] typed    sorted set    KEYS[10] events stream        KEYS[11] transfers hash        KEYS[12] deliveries hash
KEYS[13] outbox  sorted set    KEYS[14] visitors stream        KEYS[15] sessions sorted set
ARGV[1] cursor: sequence to begin at (0 = the front), -1 for nobody    ARGV[2] people to look at
ARGV[3] retention of finished entries, ms               ARGV[4] gap between sweeps that means an outage, s
ARGV[5] how late a sign of life may be noted, s         ARGV[6] cursor among the finished: ms to begin at, -1 for nobody
Returns {next cursor or 0 when through, expired, forgotten, transfers that have not arrived, next cursor among the finished or 0}
]]
-- @include clock
-- @include finish
-- Giving somebody up costs ten times what looking at them does.
local SILENT_AT_ONCE = 100
local ttl = tonumber(redis.call('HGET', KEYS[1], 'wait_ttl') or '0')
local before = redis.call('HMGET', KEYS[5], 'swept_at', 'spared_until')
local swept_at, spared_until = tonumber(before[1] or '0'), tonumber(before[2] or '0')
if ttl > 0 and (now_s - swept_at > tonumber(ARGV[4]) or now_s < swept_at) then spared_until = now_s + ttl + tonumber(ARGV[5]) end
redis.call('HSET', KEYS[5], 'swept_at', now_s, 'spared_until', spared_until)

local cursor, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local next_cursor, silent = 0, {}
if ttl > 0 and cursor >= 0 and now_s > spared_until then
  local people = redis.call('ZRANGEBYSCORE', KEYS[2], cursor, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
  local i = 1
  while i < #people and #silent < 2 * SILENT_AT_ONCE do
    local score = tonumber(people[i + 1])
    if place_silence(score, now_s) > ttl + tonumber(ARGV[5]) then
      silent[#silent + 1] = people[i]
      silent[#silent + 1] = people[i + 1]
    end
    i = i + 2
  end
  if i < #people or #people == 2 * limit then next_cursor = place_sequence(tonumber(people[i - 1])) + 1 end
end
local gone = {}
for i = 1, #silent, 2 do gone[#gone + 1] = silent[i] end
if #gone > 0 then
  finish('e', silent, KEYS[14], KEYS[3], KEYS[4], now_ms, { typed = KEYS[9], events = KEYS[10], event = 'EXPIRE' })
  redis.call('HINCRBY', KEYS[5], 'expired', #gone)
  redis.call('HINCRBY', KEYS[6], 'expired:' .. today, #gone)
  redis.call('ZREM', KEYS[2], unpack(gone))
end

local forgotten, from, next_from = 0, tonumber(ARGV[6]), 0
for _, key in ipairs(from >= 0 and { KEYS[4], KEYS[7], KEYS[8] } or {}) do
  local finished, old = redis.call('ZRANGEBYSCORE', key, ARGV[6], now_ms - tonumber(ARGV[3]), 'LIMIT', 0, limit), {}
  if #finished == limit then
    -- Those who are spared are not looked at again, should as many have finished in the same millisecond.
    local last = math.max(from + 1, tonumber(redis.call('ZSCORE', key, finished[limit])))
    next_from = next_from == 0 and last or math.min(next_from, last)
  end
  local owed = #finished > 0 and redis.call('ZMSCORE', KEYS[13], unpack(finished))
  local inside = #finished > 0 and redis.call('ZMSCORE', KEYS[15], unpack(finished))
  for i, id in ipairs(finished) do
    if not owed[i] and tonumber(inside[i] or '0') <= now_ms then old[#old + 1] = id end
  end
  if #old > 0 then
    redis.call('HDEL', KEYS[3], unpack(old))
    redis.call('HDEL', KEYS[12], unpack(old))
    redis.call('ZREM', key, unpack(old))
    forgotten = forgotten + #old
  end
end
if redis.call('HLEN', KEYS[6]) > 180 then
  for _, field in ipairs(redis.call('HKEYS', KEYS[6])) do
    if tonumber(string.match(field, ':(%d+)$') or '0') < today - 31 then redis.call('HDEL', KEYS[6], field) end
  end
end
return { next_cursor, #gone, forgotten, redis.call('HLEN', KEYS[11]), next_from }
