-- @include record_join
-- What is known of one person.
--
-- Who waits has a line in the stream `visitors`: its id is "<sequence>-<joined ms>", its only field, "v", the visitor. Redis packs a
-- hundred lines together and keeps of each id how far it is from the first one: 32 bytes a person, where a field of a hash takes 100.
-- Lines are added at the end of a stream alone. Who has come back to an older place, asked for another service type, or joined under a
-- version that had no such stream, is in the hash `entries` instead, as "<joined ms> <visitor>".
--
-- Who has finished is in `entries`, as "<state> <sequence> <joined ms> <finished ms> <link> <visitor>".
-- state: r(eady), e(xpired) or c(ancelled); of those a desk let in "rk" is called to it, "rn" did not come, "rt" was transferred to another
-- queue, and plain "r" is served.
-- link: "-", or the entry that the same proof of identity was given when it joined again, or "@<desk>" for who was called there (blanks
-- written as \31), or "><queue>:<entry>" for where somebody was transferred.

-- Writes down who waits at an older place.
local function record_return(entries_key, id, joined_ms, visitor)
  redis.call('HSET', entries_key, id, string.format('%d %s', joined_ms, visitor))
end

-- Gives somebody who waits another visitor.
local function record_change(visitors_key, entries_key, id, sequence, joined_ms, visitor)
  record_return(entries_key, id, joined_ms, visitor)
  redis.call('XDEL', visitors_key, string.format('%d-%d', sequence, joined_ms))
end

-- The lines from one sequence number to another, as a table by number of {line's id, joined, visitor}.
local function record_lines(visitors_key, first, last)
  local lines = {}
  for _, line in ipairs(redis.call('XRANGE', visitors_key, first, last)) do
    local sequence, joined = string.match(line[1], '^(%d+)-(%d+)$')
    lines[tonumber(sequence)] = { line[1], tonumber(joined), line[2][2] }
  end
  return lines
end

-- Of somebody who waits: joined, visitor, and the line's id where there is one; nil when there is no record. `lines` when they were read
-- already.
local function record_waiting(visitors_key, entries_key, id, sequence, lines)
  local line = (lines or record_lines(visitors_key, sequence, sequence))[sequence]
  if line then return line[2], line[3], line[1] end
  local joined, visitor = string.match(redis.call('HGET', entries_key, id) or '', '^(%d+) (.*)$')
  return tonumber(joined), visitor
end

local function record_finished(state, sequence, joined_ms, finished_ms, link, visitor)
  return string.format('%s %d %d %d %s %s', state, sequence, joined_ms, finished_ms, link, visitor)
end

-- state (one letter), sequence, joined, finished, link, visitor, second letter of the state of a finished record; nil for a waiting one.
local function record_read_finished(record)
  local state, detail, sequence, joined, finished, link, visitor =
    string.match(record, '^([rec])([knt]?) (%d+) (%d+) (%d+) ([^ ]+) (.*)$')
  return state, tonumber(sequence), tonumber(joined), tonumber(finished), link, visitor, detail
end

-- The visitor of a field of `entries`, whether they wait or have finished.
local function record_visitor(record)
  local _, _, _, _, _, visitor = record_read_finished(record)
  return visitor or string.match(record, '^%d+ (.*)$')
end
