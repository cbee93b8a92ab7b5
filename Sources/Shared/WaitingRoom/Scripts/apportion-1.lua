#!lua flags=allow-oom
--[[
Shares an application's own rate among those of its queues in which people wait, by their priority: each gets as much as its part of the
weights, none more than its own rate, and what one cannot use is the others'. A token bucket of the application bounds what all together let
in, whatever becomes of the callers; what is granted and not used is given back by the next call, or lost.

KEYS[1] rate  hash: `tokens` at `at_us`, and for each queue "<µs when it asked last> <priority> <own rate> <tokens>"
ARGV[1] the application's rate, a minute    ARGV[2] queue id    ARGV[3] its priority    ARGV[4] its own rate, a minute
ARGV[5] how many would go now; 0: nobody waits    ARGV[6] how many of those granted before did not go
Returns {how many may go, µs until the next one may, the queue's part of the rate, in people per thousand minutes}
]]
-- @include clock
-- @include bucket
-- A queue that has not asked for so long has no part.
local SILENCE_US = 2000000
local rate, queue, wanted = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[5])
local fields, asking, total = redis.call('HGETALL', KEYS[1]), {}, { tokens = 1, at = now_us }
for i = 1, #fields, 2 do
  local at, weight, own, tokens = string.match(fields[i + 1], '^(%d+) (%S+) (%S+) (%S+)$')
  if fields[i] == 'tokens' then
    total.tokens = tonumber(fields[i + 1])
  elseif fields[i] == 'at_us' then
    total.at = tonumber(fields[i + 1])
  elseif tonumber(at) > now_us - SILENCE_US and tonumber(at) <= now_us then
    asking[fields[i]] = { at = tonumber(at), weight = tonumber(weight), own = tonumber(own), tokens = tonumber(tokens) }
  else
    redis.call('HDEL', KEYS[1], fields[i])
  end
end
local mine = asking[queue] or { at = now_us, tokens = 1 }
mine.weight, mine.own = tonumber(ARGV[3]), tonumber(ARGV[4])
asking[queue] = mine

local left, open, is_settled = rate, {}, false
for _, one in pairs(asking) do open[#open + 1] = one end
while not is_settled do
  local weights, rest, fair = 0, {}, left
  for _, one in ipairs(open) do weights = weights + one.weight end
  for _, one in ipairs(open) do
    one.share = fair * one.weight / weights
    if one.own < one.share then
      one.share, left = one.own, left - one.own
    else
      rest[#rest + 1] = one
    end
  end
  is_settled, open = #rest == #open, rest
end

local given_back = tonumber(ARGV[6])
local function grow(bucket, pace)
  local grown = bucket.tokens + math.max(0, now_us - bucket.at) * pace / 60000000 + given_back
  bucket.tokens, bucket.at = math.min(bucket_capacity(pace), grown), now_us
end
grow(total, rate)
grow(mine, mine.share)
local granted = math.max(0, math.min(wanted, math.floor(math.min(total.tokens, mine.tokens) + 1e-9)))
total.tokens, mine.tokens = total.tokens - granted, mine.tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', total.tokens), 'at_us', string.format('%d', now_us))
if wanted > 0 then
  redis.call('HSET', KEYS[1], queue, string.format('%d %g %.17g %.17g', now_us, mine.weight, mine.own, mine.tokens))
else
  redis.call('HDEL', KEYS[1], queue)
end
redis.call('PEXPIRE', KEYS[1], 60000)

local function wait(bucket, pace) return pace > 0 and math.max(0, math.ceil((1 - bucket.tokens) * 60000000 / pace)) or 60000000 end
return { granted, math.min(60000000, math.max(wait(total, rate), wait(mine, mine.share))), math.floor(1000 * mine.share) }
