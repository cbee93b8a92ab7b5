-- @include place
-- @include record
-- @include walk_in
-- Moves one person out of the line: the record says how it ended, the state's index when. The caller removes the person from
-- `waiting` last, so that an error in between leaves them in the line rather than nowhere.
-- `how` tells what walk-in lines keep of it: keys `typed` and `events`, the name of the `event`, and from a desk `desk`, `link` and `more`.
-- Returns how long they waited (ms), or nil when there is no record of them.
local function finish(state, id, score, entries_key, finished_key, now_ms, how)
  local record = redis.call('HGET', entries_key, id)
  local joined, visitor
  if record then joined, visitor = record_read_waiting(record) end
  if not joined then return nil end
  local sequence = place_sequence(score)
  redis.call('HSET', entries_key, id, record_finished(state, sequence, joined, now_ms, how.link or '-', visitor))
  redis.call('ZADD', finished_key, now_ms, id)
  walk_in_left(how, id, sequence, visitor)
  return math.max(0, now_ms - joined)
end
