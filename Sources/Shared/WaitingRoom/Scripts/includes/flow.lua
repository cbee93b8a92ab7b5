-- How a line has moved lately, in the field `flow` of `counters`: "<ms> <released> <gone>" as of the last look, and four sums in which what
-- is a minute older counts e times less: people let in, seconds in which people were let in, people who gave up or left, and seconds spent
-- waiting by all together; and the queue's part of its application's rate, in people per thousand minutes, or "-".
local FLOW_MEMORY, FLOW_STEP, FLOW_GAP = 60, 1000, 10000

-- Takes note of it, once a second. Time in which nobody waited, nobody was to be let in (`moves` false) or nobody looked does not count.
local function flow_note(counters_key, waiting, moves, part, now_ms)
  local known = redis.call('HMGET', counters_key, 'flow', 'released', 'expired', 'cancelled')
  local at, released, gone, r, t, g, w = string.match(known[1] or '', '^(%d+) (%d+) (%d+) (%S+) (%S+) (%S+) (%S+) %S+$')
  local passed = at and now_ms - tonumber(at) or -1
  if passed >= 0 and passed < FLOW_STEP then return end
  local released_now, gone_now = tonumber(known[2] or '0'), tonumber(known[3] or '0') + tonumber(known[4] or '0')
  r, t, g, w = tonumber(r or '0'), tonumber(t or '0'), tonumber(g or '0'), tonumber(w or '0')
  if moves and waiting > 0 and passed >= 0 and passed <= FLOW_GAP then
    local seconds = passed / 1000
    local kept = math.exp(-seconds / FLOW_MEMORY)
    r = r * kept + math.max(0, released_now - tonumber(released))
    t = t * kept + seconds
    g = g * kept + math.max(0, gone_now - tonumber(gone))
    w = w * kept + seconds * waiting
  end
  redis.call('HSET', counters_key, 'flow', string.format('%d %d %d %.6g %.6g %.6g %.6g %s', now_ms, released_now, gone_now, r, t, g, w,
    part))
end

-- Of that text: people let in per 1,000,000 seconds, how many seconds that rests on, how many of 1,000,000,000 who wait give up a second,
-- and the part of the rate and one, or 0 for none.
local function flow_rates(text)
  local r, t, g, w, part = string.match(text or '', '^%d+ %d+ %d+ (%S+) (%S+) (%S+) (%S+) (%S+)$')
  r, t, g, w = tonumber(r or '0'), tonumber(t or '0'), tonumber(g or '0'), tonumber(w or '0')
  return t > 0 and math.floor(1e6 * r / t) or 0, math.floor(t), w > 0 and math.floor(1e9 * g / w) or 0,
    (tonumber(part or '-') or -1) + 1
end
