#!lua flags=allow-oom
--[[
Writes down how one attempt to deliver a callback ended. A callback that another worker has settled meanwhile is left alone.

KEYS[1] outbox  sorted set    KEYS[2] callbacks  hash    KEYS[3] dead     sorted set    KEYS[4] dead_letters hash
KEYS[5] counters hash         KEYS[6] entries    hash    KEYS[7] deliveries hash
ARGV[1] entry id    ARGV[2] 'delivered', 'retry', 'dead' or 'dropped'
ARGV[3] attempts made, this one included    ARGV[4] retry: delay until the next one, ms
ARGV[5] what went wrong, one line           ARGV[6] dead: the letter kept for the operator, JSON
ARGV[7] most dead letters kept              ARGV[8] status of the answer, 0 for none
Returns 1 when written, 0 when it was settled already.
]]
-- @include clock
local id = ARGV[1]
if not redis.call('ZSCORE', KEYS[1], id) then return 0 end
if ARGV[2] == 'retry' then
  redis.call('HSET', KEYS[2], id, ARGV[3] .. ' ' .. ARGV[8] .. ' ' .. ARGV[5])
  redis.call('ZADD', KEYS[1], 'XX', now_ms + tonumber(ARGV[4]), id)
  return 1
end
local function bury()
  redis.call('ZADD', KEYS[3], now_ms, id)
  local surplus = redis.call('ZRANGE', KEYS[3], 0, -1 - tonumber(ARGV[7]))
  if #surplus > 0 then
    redis.call('HDEL', KEYS[4], unpack(surplus))
    redis.call('ZREM', KEYS[3], unpack(surplus))
  end
end
if ARGV[2] == 'dead' then
  redis.call('HSET', KEYS[4], id, ARGV[6])
  redis.call('HINCRBY', KEYS[5], 'callbacks_dead', 1)
  bury()
elseif ARGV[2] == 'delivered' then
  redis.call('HINCRBY', KEYS[5], 'callbacks_delivered', 1)
  redis.call('HDEL', KEYS[4], id)
  -- Called, given up, put back into the line and called again.
  redis.call('ZREM', KEYS[3], id)
  -- A sweep forgets deliveries with their people; one who is forgotten already has none.
  if redis.call('HEXISTS', KEYS[6], id) == 1 then
    redis.call('HSET', KEYS[7], id, string.format('%d %d %d', now_ms, tonumber(ARGV[3]), tonumber(ARGV[8])))
  end
elseif redis.call('HEXISTS', KEYS[4], id) == 1 then
  -- Sent again by hand, and there is no address any more: it stays a dead letter.
  bury()
end
redis.call('HDEL', KEYS[2], id)
redis.call('ZREM', KEYS[1], id)
return 1
