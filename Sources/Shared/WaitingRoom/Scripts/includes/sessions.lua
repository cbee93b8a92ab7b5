-- Who is inside: the sorted set `sessions` has the entries that were let in, by the ms when their session ends. One that has ended counts
-- no more; it is forgotten later, so that no call takes long.
local ENDED_AT_ONCE = 1000

-- How many sessions last.
local function sessions_count(key, now_ms)
  local ended = redis.call('ZCOUNT', key, '-inf', now_ms)
  if ended > 0 then redis.call('ZREMRANGEBYRANK', key, 0, math.min(ended, ENDED_AT_ONCE) - 1) end
  return redis.call('ZCARD', key) - math.max(0, ended - ENDED_AT_ONCE)
end

-- How many more may go in; `most` is the queue's setting, 0 or nil for no capacity.
local function sessions_room(active, most)
  most = tonumber(most or '0')
  return most > 0 and math.max(0, most - active) or math.huge
end

-- When the next session ends, ms; nil when there is none.
local function sessions_next(key, now_ms)
  return tonumber(redis.call('ZRANGEBYSCORE', key, '(' .. string.format('%d', now_ms), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2])
end

-- When a session ends that began at `from_ms` and lasts so many ms: at the full second before, as passes say it.
local function session_end(from_ms, lasting) return string.format('%d', 1000 * math.floor((from_ms + lasting) / 1000)) end

-- How long a session lasts, ms.
local function session_ms(settings_key) return 1000 * tonumber(redis.call('HGET', settings_key, 'session_seconds') or '600') end

-- Whether the pass of somebody who was let in at `issued_ms` was revoked. An entry's id may come again with a visitor, days later: what was
-- revoked then is another pass.
local function session_revoked(revoked_key, id, issued_ms)
  return (tonumber(redis.call('ZSCORE', revoked_key, id) or '') or -1) >= issued_ms
end
