-- What the hash `entries` keeps of one person: while waiting "<joined ms> <visitor>", afterwards
-- "<state> <sequence> <joined ms> <finished ms> <successor> <visitor>" with state r(eady), e(xpired) or c(ancelled), and as successor the
-- entry that the same proof of identity was given when it joined again ("-" for none).
local function record_waiting(joined_ms, visitor)
  return string.format('%d %s', joined_ms, visitor)
end

local function record_finished(state, sequence, joined_ms, finished_ms, successor, visitor)
  return string.format('%s %d %d %d %s %s', state, sequence, joined_ms, finished_ms, successor, visitor)
end

-- joined, visitor of a waiting record; nil for a finished one.
local function record_read_waiting(record)
  local joined, visitor = string.match(record, '^(%d+) (.*)$')
  return tonumber(joined), visitor
end

-- state, sequence, joined, finished, successor, visitor of a finished record; nil for a waiting one.
local function record_read_finished(record)
  local state, sequence, joined, finished, successor, visitor =
    string.match(record, '^([rec]) (%d+) (%d+) (%d+) ([^ ]+) (.*)$')
  return state, tonumber(sequence), tonumber(joined), tonumber(finished), successor, visitor
end
