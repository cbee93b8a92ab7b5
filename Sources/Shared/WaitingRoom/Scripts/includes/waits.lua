-- @include record
-- How long people had waited who were let in from `from_ms` on: the median and the 95th percentile, ms, of at most `size` of them spread
-- evenly over the time. Returns -1, -1 when there were none.
local function waits(ready_key, entries_key, from_ms, size)
  local total = redis.call('ZCARD', ready_key)
  local first = total - redis.call('ZCOUNT', ready_key, from_ms, '+inf')
  local count = total - first
  if count == 0 then return -1, -1 end
  local ids = {}
  if count <= size then
    ids = redis.call('ZRANGE', ready_key, first, -1)
  else
    for i = 0, size - 1 do
      local rank = first + math.floor(i * count / size)
      ids[#ids + 1] = redis.call('ZRANGE', ready_key, rank, rank)[1]
    end
  end
  local waited = {}
  for _, record in ipairs(redis.call('HMGET', entries_key, unpack(ids))) do
    if record then
      local _, _, joined, finished = record_read_finished(record)
      if joined then waited[#waited + 1] = math.max(0, finished - joined) end
    end
  end
  if #waited == 0 then return -1, -1 end
  table.sort(waited)
  return waited[math.ceil(#waited * 0.5)], waited[math.ceil(#waited * 0.95)]
end
