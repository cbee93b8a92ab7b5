-- @include place
-- @include record
-- @include walk_in
-- Moves people out of the line: each record says how it ended, the state's index when. The caller removes them from `waiting` last, so that
-- an error in between leaves them in the line rather than nowhere. What many have in common is read and written at once.
-- `people` is a flat list of id, score in the line's order.
-- `how` tells what walk-in lines keep of it: keys `typed` and `events`, the name of the `event`, and from a desk `desk`, `link` and `more`;
-- and whether all are the `first` in line, where a whole node of `visitors` goes at once.
-- Returns a flat list of id, sequence, waited ms of those of whom there was a record.
local function finish(state, people, visitors_key, entries_key, finished_key, now_ms, how)
  if #people == 0 then return {} end
  local last = place_sequence(tonumber(people[#people]))
  local lines = record_lines(visitors_key, place_sequence(tonumber(people[2])), last)
  local finished, records, times, visitors, gone = {}, {}, {}, {}, {}
  local now = string.format('%d', now_ms)
  for i = 1, #people, 2 do
    local id, sequence = people[i], place_sequence(tonumber(people[i + 1]))
    local joined, visitor, line = record_waiting(visitors_key, entries_key, id, sequence, lines)
    if joined then
      local n = #finished
      finished[n + 1], finished[n + 2], finished[n + 3] = id, sequence, math.max(0, now_ms - joined)
      n = #records
      records[n + 1], records[n + 2] = id, record_finished(state, sequence, joined, now_ms, how.link or '-', visitor)
      times[n + 1], times[n + 2] = now, id
      visitors[#visitors + 1], gone[#gone + 1] = visitor, line
    end
  end
  if #finished == 0 then return finished end
  redis.call('HSET', entries_key, unpack(records))
  redis.call('ZADD', finished_key, unpack(times))
  for i, visitor in ipairs(visitors) do walk_in_left(how, finished[3 * i - 2], finished[3 * i - 1], visitor) end
  if how.first then
    redis.call('XTRIM', visitors_key, 'MINID', last + 1)
  elseif #gone > 0 then
    redis.call('XDEL', visitors_key, unpack(gone))
  end
  return finished
end
