-- @include place
-- @include record
-- @include walk_in
-- Puts somebody who was let in back into the line at the place they had, as if they had not been.
-- `keys` has waiting, entries, ready, counters, days and typed.
local function put_back(keys, id, sequence, joined, finished, visitor, now_s)
  local waited, day = math.max(0, finished - joined), math.floor(finished / 86400000)
  redis.call('HINCRBY', keys.counters, 'released', -1)
  redis.call('HINCRBY', keys.counters, 'waited_ms', -waited)
  redis.call('HINCRBY', keys.days, 'released:' .. day, -1)
  redis.call('HINCRBY', keys.days, 'waited_ms:' .. day, -waited)
  redis.call('ZREM', keys.ready, id)
  record_return(keys.entries, id, joined, visitor)
  redis.call('ZADD', keys.waiting, place(sequence, now_s), id)
  walk_in_waits(keys.typed, id, sequence, visitor)
end
