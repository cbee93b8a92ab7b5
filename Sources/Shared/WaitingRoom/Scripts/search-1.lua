#!lua flags=no-writes
--[[
Looks through some of a queue's people for those whose visitor id or name holds a text, in small or capital Latin letters alike.

KEYS[1] entries hash
ARGV[1] cursor, 0 to begin    ARGV[2] text, in small letters    ARGV[3] people to look at
Returns {next cursor or 0 when through, {entry id, …}}
]]
-- @include record
local found = {}
local step = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[3])
for i = 1, #step[2], 2 do
  local record, visitor, _ = step[2][i + 1], nil, nil
  _, visitor = record_read_waiting(record)
  if not visitor then _, _, _, _, _, visitor = record_read_finished(record) end
  -- Of somebody who joined by name only the name: behind it stands what they came for.
  visitor = visitor and (string.match(visitor, '^\31([^\31]*)') or visitor)
  if visitor and string.find(string.lower(visitor), ARGV[2], 1, true) then found[#found + 1] = step[2][i] end
end
return { step[1], found }
