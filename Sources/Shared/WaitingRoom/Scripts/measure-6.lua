#!lua flags=allow-oom
--[[
Writes a point of the queue's series when a minute has ended, and one of hours when an hour has: how many wait, the totals since the queue
was made, and how long those let in meanwhile had waited. A time in which nothing changed has no point. Any number of callers write one.

KEYS[1] waiting  sorted set    KEYS[2] entries  hash      KEYS[3] ready  sorted set
KEYS[4] counters hash          KEYS[5] minutes  stream    KEYS[6] hours  stream
Returns ms until the next minute ends.
]]
-- @include clock
-- @include waits
local totals = redis.call('HMGET', KEYS[4], 'sequence', 'released', 'expired', 'cancelled', 'skipped')
for i = 1, 5 do totals[i] = totals[i] or '0' end
-- Numbers that nobody was given are no joins.
totals[1] = string.format('%d', totals[1] - table.remove(totals))
local now = { redis.call('ZCARD', KEYS[1]), unpack(totals) }

local function point(stream, step_ms, kept)
  local id = math.floor(now_ms / step_ms) * step_ms
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local changed = now[1] > 0 or totals[1] ~= '0'
  if last then
    if tonumber(string.match(last[1], '^%d+')) >= id then return end
    changed = false
    for i = 1, 5 do changed = changed or tostring(now[i]) ~= last[2][2 * i] end
  end
  if not changed then return end
  local p50, p95 = waits(KEYS[3], KEYS[2], id - step_ms, 200)
  redis.call('XADD', stream, 'MAXLEN', '~', kept, string.format('%d-0', id), 'w', now[1], 'j', now[2], 'r', now[3], 'e', now[4],
    'c', now[5], 'p50', p50, 'p95', p95)
end
point(KEYS[5], 60000, 1500)
point(KEYS[6], 3600000, 800)
return 60000 - now_ms % 60000
