#!lua flags=allow-oom
--[[
A desk calls the first in line: the same atom as a release (`admit.lua`), so two desks, or a desk and a worker, never get one person twice.
It spends nothing of the token bucket.

What is kept for the forecast is how long a service took: the time since the desk's last call while somebody was waiting, so never longer
than this person's own wait.

KEYS[1] waiting  sorted set    KEYS[2] entries  hash    KEYS[3] ready    sorted set    KEYS[4] outbox  sorted set
KEYS[5] counters hash          KEYS[6] days     hash    KEYS[7] services list of ms, the latest 20, newest first
Returns {} when nobody waits, else {id, sequence, joined ms, served ms, people left, visitor}
]]
-- @include clock
-- @include admit
local let_in, people = 0, {}
-- A place whose record is lost is cleared away by the step, and the next one is tried.
while let_in == 0 and redis.call('ZCARD', KEYS[1]) > 0 do
  let_in, people = admit(1, KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], now_ms, today)
end
if let_in == 0 then return {} end
local last = tonumber(redis.call('HGET', KEYS[5], 'served_at') or '0')
redis.call('HSET', KEYS[5], 'served_at', now_ms)
redis.call('LPUSH', KEYS[7], math.max(0, math.min(now_ms - last, people[3])))
redis.call('LTRIM', KEYS[7], 0, 19)
local _, sequence, joined, served, _, visitor = record_read_finished(redis.call('HGET', KEYS[2], people[1]))
return { people[1], sequence, joined, served, redis.call('ZCARD', KEYS[1]), visitor }
