#!lua flags=allow-oom
--[[
Writes down whom a gateway has let in from a lease while Redis was away (`lease-4.lua`): as of then, without the bucket, of which they were
taken when they were lent. Whoever was let in or has left meanwhile stays as they are; whom Redis has lost is let in too. Repeating it
changes nothing.

KEYS[1] settings hash    KEYS[2] waiting sorted set    KEYS[3] entries hash    KEYS[4] ready  sorted set    KEYS[5] outbox sorted set
KEYS[6] counters hash    KEYS[7] days    hash          KEYS[8] typed   sorted set              KEYS[9] events stream
KEYS[10] visitors stream    KEYS[11] sessions sorted set
ARGV    entry id, sequence, joined ms, visitor, ms when let in, …
Returns how many were let in.
]]
-- @include clock
-- @include admit
-- @include sessions
if not redis.call('HGET', KEYS[1], 'active') then return 0 end
local released, lasting = 0, session_ms(KEYS[1])
for i = 1, #ARGV, 5 do
  local id, sequence, at = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 4])
  local waits = redis.call('ZSCORE', KEYS[2], id)
  local is_lost = not waits and redis.call('HEXISTS', KEYS[3], id) == 0
  if is_lost then record_return(KEYS[3], id, tonumber(ARGV[i + 2]), ARGV[i + 3]) end
  if waits or is_lost then
    released = released + admit({ id, sequence }, 'r', KEYS[2], KEYS[10], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], at,
      math.floor(at / 86400000), { typed = KEYS[8], events = KEYS[9], event = 'SERVE', sessions = KEYS[11], session_ms = lasting })
  end
end
return released
