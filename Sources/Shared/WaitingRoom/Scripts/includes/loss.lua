-- What Redis knows of having lost people of a queue, in `counters`: `lost_at`, the ms when that was found out last; `lost_from` and
-- `lost_highest`, the sequence numbers behind which people may be missing and the highest that anybody knew of; `lost_through`, behind
-- which newcomers stand; `restored`, how many have been put back; `losses`, how often; and `skipped`, by how much the sequence number is
-- beyond the people who joined.
--
-- A loss shows in that somebody knows of more than Redis does: a gateway of a sequence number that the counter has not reached, a worker of
-- people let in, a visitor of a place that nobody has and that nobody can have forgotten yet.

-- How far the counter goes on behind the highest sequence number known, so that newcomers come behind everyone who was lost: many times
-- what is joined in the seconds within which the processes hear of each other's numbers.
local LOSS_GAP = 100000

-- Takes note of a loss, from when on releases wait for the visitors' tickets.
local function note_loss(counters_key, highest, now_ms)
  local sequence = tonumber(redis.call('HGET', counters_key, 'sequence') or '0')
  local known = math.max(sequence, highest)
  -- Where nobody knows of any: ten joins a second ever since a day in 2023 are more than a queue has had.
  local ahead = (known == 0 and math.floor((now_ms - 1700000000000) / 100) or known) + LOSS_GAP
  local before = redis.call('HMGET', counters_key, 'lost_at', 'lost_from')
  -- One that is found out bit by bit, by one who knows more than the other, is one.
  local from = tonumber(before[1] or '0') > now_ms - 60000 and before[2] or string.format('%d', sequence)
  redis.call('HSET', counters_key, 'sequence', string.format('%d', ahead), 'lost_at', string.format('%d', now_ms),
    'lost_from', from, 'lost_highest', string.format('%d', known), 'lost_through', string.format('%d', ahead))
  redis.call('HINCRBY', counters_key, 'skipped', string.format('%d', ahead - sequence))
  redis.call('HINCRBY', counters_key, 'losses', 1)
end

-- Takes note of a sequence number that is known, in case that it is the highest of those from before a loss.
local function note_lost(counters_key, sequence)
  local lost = redis.call('HMGET', counters_key, 'lost_highest', 'lost_through')
  if lost[2] and sequence > tonumber(lost[1] or '0') and sequence <= tonumber(lost[2]) then
    redis.call('HSET', counters_key, 'lost_highest', string.format('%d', sequence))
  end
end

-- What a gateway needs for telling places while people come back: {highest sequence number let in, lost_from, lost_highest, lost_through,
-- ms since the loss was found out or -1 for none}.
local function loss_state(counters_key, now_ms)
  local state = redis.call('HMGET', counters_key, 'let_in_through', 'lost_from', 'lost_highest', 'lost_through', 'lost_at')
  local since = state[5] and math.max(0, now_ms - tonumber(state[5])) or -1
  return { tonumber(state[1] or '0'), tonumber(state[2] or '0'), tonumber(state[3] or '0'), tonumber(state[4] or '0'), since }
end

-- Takes note of a loss if the counter has not reached a sequence number that is known. Returns whether it has not.
local function check_sequence(counters_key, highest, now_ms)
  if highest <= tonumber(redis.call('HGET', counters_key, 'sequence') or '0') then
    note_lost(counters_key, highest)
    return false
  end
  note_loss(counters_key, highest, now_ms)
  return true
end
