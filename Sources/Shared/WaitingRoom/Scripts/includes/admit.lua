-- @include finish
-- @include sessions
-- Lets people in: marks each as ready, owes one callback for each, counts them, and takes them out of the line last.
-- `people` is a flat list of id, score in the line's order; `state` 'r' or, called to a desk, 'rk'; `how` as `finish` takes it, and where
-- they go into a website the key `sessions` and how long a session lasts, `session_ms`.
-- Returns the number let in and a flat list of id, sequence, waited ms.
local function admit(
  people, state, waiting_key, visitors_key, entries_key, ready_key, outbox_key, counters_key, days_key, now_ms, today, how
)
  local admitted = finish(state, people, visitors_key, entries_key, ready_key, now_ms, how)
  local let_in = #admitted / 3
  if let_in > 0 then
    local owed, waited_total, now = {}, 0, string.format('%d', now_ms)
    for i = 1, #admitted, 3 do
      owed[#owed + 1] = now
      owed[#owed + 1] = admitted[i]
      waited_total = waited_total + admitted[i + 2]
    end
    redis.call('ZADD', outbox_key, unpack(owed))
    redis.call('HINCRBY', counters_key, 'released', let_in)
    redis.call('HINCRBY', counters_key, 'waited_ms', waited_total)
    redis.call('HINCRBY', days_key, 'released:' .. today, let_in)
    redis.call('HINCRBY', days_key, 'waited_ms:' .. today, waited_total)
    if how.sessions then
      local ends, sessions = session_end(now_ms, how.session_ms), {}
      for i = 1, #owed, 2 do
        sessions[i], sessions[i + 1] = ends, owed[i + 1]
      end
      redis.call('ZADD', how.sessions, unpack(sessions))
    end
  end
  local gone = {}
  for i = 1, #people, 2 do gone[#gone + 1] = people[i] end
  if #gone > 0 then redis.call('ZREM', waiting_key, unpack(gone)) end
  return let_in, admitted
end
