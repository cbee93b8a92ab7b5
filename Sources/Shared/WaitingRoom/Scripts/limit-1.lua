#!lua flags=allow-oom
--[[
Counts attempts against a limit in a sliding window of a minute, weighing the last window by what is left of it. A cost of 0 only looks: it
tells whether an attempt would be allowed. Of a refused cost all but the last attempt are counted: they were allowed before they were told.
It runs when memory is full too, or nobody could poll or sign in; what it keeps lives for two minutes.

KEYS[1] window  hash: start (minute), now, before
ARGV[1] most attempts a minute    ARGV[2] cost: how many attempts, 0 to look
Returns {1 when allowed else 0, attempts left, seconds until one is allowed again}
]]
-- @include clock
local limit, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local minute, within = math.floor(now_s / 60), (now_us / 1000000) % 60
local window = redis.call('HMGET', KEYS[1], 'start', 'now', 'before')
local start, count, before = tonumber(window[1] or minute), tonumber(window[2] or '0'), tonumber(window[3] or '0')
if start ~= minute then
  before = start == minute - 1 and count or 0
  count = 0
end
local used = count + before * (60 - within) / 60
local allowed = used + math.max(cost, 1) <= limit
local counted = allowed and cost or math.max(cost - 1, 0)
if counted > 0 then
  redis.call('HSET', KEYS[1], 'start', minute, 'now', count + counted, 'before', before)
  redis.call('EXPIRE', KEYS[1], 120)
  count, used = count + counted, used + counted
end
if allowed then return { 1, math.floor(limit - used), 0 } end
local wait = 60 - within
if before > 0 and count + 1 <= limit then wait = math.min(wait, (used + 1 - limit) * 60 / before) end
return { 0, 0, math.max(1, math.ceil(wait)) }
