#!lua flags=no-writes
--[[
Looks through some of a queue's people for those whose visitor id or name holds a text, in small or capital Latin letters alike: first
through those who wait, then through the others.

KEYS[1] entries hash    KEYS[2] waiting sorted set    KEYS[3] visitors stream
ARGV[1] cursor, 0-0 to begin    ARGV[2] text, in small letters    ARGV[3] people to look at
Returns {next cursor or '' when through, {entry id, …}}
]]
-- @include record
local function holds(visitor)
  -- Of somebody who joined by name only the name: behind it stands what they came for.
  visitor = visitor and (string.match(visitor, '^\31([^\31]*)') or visitor)
  return visitor and string.find(string.lower(visitor), ARGV[2], 1, true)
end

local found = {}
if string.find(ARGV[1], '-', 1, true) then
  local lines = redis.call('XRANGE', KEYS[3], '(' .. ARGV[1], '+', 'COUNT', ARGV[3])
  for _, line in ipairs(lines) do
    if holds(line[2][2]) then
      local sequence = tonumber(string.match(line[1], '^%d+'))
      found[#found + 1] = redis.call('ZRANGEBYSCORE', KEYS[2], sequence, '(' .. sequence + 1)[1]
    end
  end
  -- Behind the last line begins the hash.
  return { #lines == tonumber(ARGV[3]) and lines[#lines][1] or '0', found }
end
local step = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[3])
for i = 1, #step[2], 2 do
  if holds(record_visitor(step[2][i + 1])) then found[#found + 1] = step[2][i] end
end
return { step[1] ~= '0' and step[1] or '', found }
