#!lua flags=allow-oom
--[[
Makes callbacks due now: dead letters and delivered ones once more, from the first attempt on; pending ones without waiting.

KEYS[1] outbox  sorted set    KEYS[2] callbacks hash    KEYS[3] dead       sorted set
KEYS[4] dead_letters hash     KEYS[5] entries   hash    KEYS[6] deliveries hash
ARGV    entry ids
Returns how many there were.
]]
-- @include clock
-- @include record
local count = 0
for _, id in ipairs(ARGV) do
  local record = redis.call('HGET', KEYS[5], id)
  local is_released = record and record_read_finished(record) == 'r'
  if is_released or (not record and redis.call('HEXISTS', KEYS[4], id) == 1) then
    if redis.call('ZSCORE', KEYS[3], id) then redis.call('HDEL', KEYS[2], id) end
    redis.call('ZADD', KEYS[1], now_ms, id)
    redis.call('ZREM', KEYS[3], id)
    redis.call('HDEL', KEYS[6], id)
    count = count + 1
  end
end
return count
