-- What a worker remembered of whom it had let in before a loss: the sorted set `tombstones` has members "<first>-<last>:<ms when>" with the
-- last sequence number as score.

-- Several workers tell of the same people, and one may know of a part of a run only: so runs overlap, and each that may hold a number is
-- looked at. None is longer (`QueueMemory.longestRun`).
local LONGEST_RUN = 500

-- The ms when the person of a sequence number was let in; nil for one who was not, as far as it is known.
local function tombstone(key, sequence)
  local runs = redis.call('ZRANGEBYSCORE', key, string.format('%d', sequence), string.format('%d', sequence + LONGEST_RUN - 1))
  for _, run in ipairs(runs) do
    local first, at = string.match(run, '^(%d+)-%d+:(%d+)$')
    if tonumber(first) <= sequence then return tonumber(at) end
  end
end
