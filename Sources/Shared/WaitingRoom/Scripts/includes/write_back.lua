-- Writes the fields ARGV[first], ARGV[first + 1], … to a record unless what is there was changed at the same time or later.
-- Returns true when they were written, and whether there was nothing before.
local function write_back(key, changed_us, first)
  local is_new = redis.call('EXISTS', key) == 0
  if not is_new and tonumber(redis.call('HGET', key, 'changed_at') or '0') >= changed_us then return false, false end
  redis.call('HSET', key, unpack(ARGV, first))
  return true, is_new
end
