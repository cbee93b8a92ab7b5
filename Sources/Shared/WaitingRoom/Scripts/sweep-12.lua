#!lua flags=allow-oom
--[[
Gives up on people who have been silent for longer than the queue allows, and forgets finished ones after the retention time. Looks at a
bounded number of people a call; the caller comes back with the cursor until it is 0.

Silence counts only while somebody watches: when no sweep has run for a while (Redis or every worker was away, so nobody's polls could
be noted), nobody is given up before one full life of silence from now.

KEYS[1] settings hash          KEYS[2] waiting sorted set    KEYS[3] entries  hash          KEYS[4] expired sorted set
KEYS[5] counters hash          KEYS[6] days    hash          KEYS[7] ready    sorted set    KEYS[8] rejected sorted set
KEYS[9] typed    sorted set    KEYS[10] events stream        KEYS[11] transfers hash        KEYS[12] deliveries hash
ARGV[1] cursor: sequence to begin at (0 = the front)    ARGV[2] people to look at
ARGV[3] retention of finished entries, ms               ARGV[4] gap between sweeps that means an outage, s
Returns {next cursor or 0 when through, expired, forgotten, transfers that have not arrived}
]]
-- @include clock
-- @include finish
local ttl = tonumber(redis.call('HGET', KEYS[1], 'wait_ttl') or '0')
local before = redis.call('HMGET', KEYS[5], 'swept_at', 'spared_until')
local swept_at, spared_until = tonumber(before[1] or now_s), tonumber(before[2] or '0')
if ttl > 0 and now_s - swept_at > tonumber(ARGV[4]) then spared_until = now_s + ttl + 1 end
redis.call('HSET', KEYS[5], 'swept_at', now_s, 'spared_until', spared_until)

local cursor, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local next_cursor, silent = 0, {}
if ttl > 0 and now_s > spared_until then
  local people = redis.call('ZRANGEBYSCORE', KEYS[2], cursor, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
  for i = 1, #people, 2 do
    local score = tonumber(people[i + 1])
    -- Signs of life are noted in whole seconds and up to a second late, hence one second of grace.
    if place_silence(score, now_s) > ttl + 1 then
      silent[#silent + 1] = people[i]
      finish('e', people[i], score, KEYS[3], KEYS[4], now_ms, { typed = KEYS[9], events = KEYS[10], event = 'EXPIRE' })
    end
  end
  if #people == 2 * limit then next_cursor = place_sequence(tonumber(people[#people])) + 1 end
end
if #silent > 0 then
  redis.call('HINCRBY', KEYS[5], 'expired', #silent)
  redis.call('HINCRBY', KEYS[6], 'expired:' .. today, #silent)
  redis.call('ZREM', KEYS[2], unpack(silent))
end

local forgotten = 0
for _, key in ipairs({ KEYS[4], KEYS[7], KEYS[8] }) do
  local old = redis.call('ZRANGEBYSCORE', key, '-inf', now_ms - tonumber(ARGV[3]), 'LIMIT', 0, limit)
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
return { next_cursor, #silent, forgotten, redis.call('HLEN', KEYS[11]) }
