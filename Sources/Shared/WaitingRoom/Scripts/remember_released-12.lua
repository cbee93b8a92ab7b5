#!lua flags=allow-oom
--[[
Takes a worker's word, after a loss, for who had been let in: those who wait as if they had not been are let in again as of then, beside the
rate, which they were counted in already; those who are missing are let in when their ticket comes (`restore-12.lua`). Whoever has a record
of having finished keeps it. Repeating it changes nothing.

KEYS[1] tombstones sorted set    KEYS[2] waiting  sorted set    KEYS[3] entries hash    KEYS[4] ready  sorted set    KEYS[5] outbox sorted set
KEYS[6] counters   hash          KEYS[7] days     hash          KEYS[8] typed   sorted set              KEYS[9] events stream
KEYS[10] settings  hash   KEYS[11] visitors stream    KEYS[12] sessions sorted set
ARGV[1] life of a tombstone, s    ARGV[2] most people to let in at once    ARGV[3..] first, last sequence number, ms when, …
Returns how many were let in; when it is the most, there may be more. -1: there is no such queue, or it is switched off, and nothing was
noted.
]]
-- @include clock
-- @include admit
-- @include sessions
if redis.call('HGET', KEYS[10], 'active') ~= '1' then return -1 end
local left, released, lasting = tonumber(ARGV[2]), 0, session_ms(KEYS[10])
for i = 3, #ARGV, 3 do
  local first, last, at = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  redis.call('ZADD', KEYS[1], last, string.format('%s-%s:%d', first, last, at))
  if left > 0 then
    local people = redis.call('ZRANGEBYSCORE', KEYS[2], first, '(' .. string.format('%d', last + 1), 'WITHSCORES', 'LIMIT', 0, left)
    local let_in = admit(people, 'r', KEYS[2], KEYS[11], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], at, math.floor(at / 86400000),
      { typed = KEYS[8], events = KEYS[9], event = 'SERVE', sessions = KEYS[12], session_ms = lasting })
    left, released = left - #people / 2, released + let_in
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return released
