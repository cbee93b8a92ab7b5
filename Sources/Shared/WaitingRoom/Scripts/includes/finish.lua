-- @include place
-- @include record
-- Moves one person out of the line: the record says how it ended, the state's index when. The caller removes the person from
-- `waiting` last, so that an error in between leaves them in the line rather than nowhere.
-- Returns how long they waited (ms), or nil when there is no record of them.
local function finish(state, id, score, entries_key, finished_key, now_ms)
  local record = redis.call('HGET', entries_key, id)
  local joined, visitor
  if record then joined, visitor = record_read_waiting(record) end
  if not joined then return nil end
  redis.call('HSET', entries_key, id, record_finished(state, place_sequence(score), joined, now_ms, '-', visitor))
  redis.call('ZADD', finished_key, now_ms, id)
  return math.max(0, now_ms - joined)
end
