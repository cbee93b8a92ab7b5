-- What the hash `entries` keeps of one person: while waiting "<joined ms> <visitor>", afterwards
-- "<state> <sequence> <joined ms> <finished ms> <link> <visitor>".
-- state: r(eady), e(xpired) or c(ancelled); of those a desk let in "rk" is called to it, "rn" did not come, "rt" was transferred to another
-- queue, and plain "r" is served.
-- link: "-", or the entry that the same proof of identity was given when it joined again, or "@<desk>" for who was called there (blanks
-- written as \31), or "><queue>:<entry>" for where somebody was transferred.
local function record_waiting(joined_ms, visitor)
  return string.format('%d %s', joined_ms, visitor)
end

local function record_finished(state, sequence, joined_ms, finished_ms, link, visitor)
  return string.format('%s %d %d %d %s %s', state, sequence, joined_ms, finished_ms, link, visitor)
end

-- joined, visitor of a waiting record; nil for a finished one.
local function record_read_waiting(record)
  local joined, visitor = string.match(record, '^(%d+) (.*)$')
  return tonumber(joined), visitor
end

-- state (one letter), sequence, joined, finished, link, visitor, second letter of the state of a finished record; nil for a waiting one.
local function record_read_finished(record)
  local state, detail, sequence, joined, finished, link, visitor =
    string.match(record, '^([rec])([knt]?) (%d+) (%d+) (%d+) ([^ ]+) (.*)$')
  return state, tonumber(sequence), tonumber(joined), tonumber(finished), link, visitor, detail
end
