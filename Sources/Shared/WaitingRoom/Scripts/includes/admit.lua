-- @include finish
-- Lets people in: marks each as ready, owes one callback for each, counts them, and takes them out of the line last.
-- `people` is a flat list of id, score; `state` 'r' or, called to a desk, 'rk'; `how` as `finish` takes it.
-- Returns the number let in and a flat list of id, sequence, waited ms.
local function admit(people, state, waiting_key, entries_key, ready_key, outbox_key, counters_key, days_key, now_ms, today, how)
  local admitted, waited_total, gone = {}, 0, {}
  for i = 1, #people, 2 do
    local id, score = people[i], tonumber(people[i + 1])
    gone[#gone + 1] = id
    local waited = finish(state, id, score, entries_key, ready_key, now_ms, how)
    if waited then
      redis.call('ZADD', outbox_key, now_ms, id)
      waited_total = waited_total + waited
      local n = #admitted
      admitted[n + 1], admitted[n + 2], admitted[n + 3] = id, place_sequence(score), waited
    end
  end
  local let_in = #admitted / 3
  if let_in > 0 then
    redis.call('HINCRBY', counters_key, 'released', let_in)
    redis.call('HINCRBY', counters_key, 'waited_ms', waited_total)
    redis.call('HINCRBY', days_key, 'released:' .. today, let_in)
    redis.call('HINCRBY', days_key, 'waited_ms:' .. today, waited_total)
  end
  if #gone > 0 then redis.call('ZREM', waiting_key, unpack(gone)) end
  return let_in, admitted
end
