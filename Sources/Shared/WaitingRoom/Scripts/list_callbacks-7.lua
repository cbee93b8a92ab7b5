#!lua flags=no-writes
--[[
Lists callbacks of one state: pending ones with the soonest due first, dead ones with the latest given up first, delivered ones of those let
in last.

KEYS[1] outbox  sorted set    KEYS[2] callbacks hash    KEYS[3] dead     sorted set    KEYS[4] dead_letters hash
KEYS[5] deliveries hash       KEYS[6] entries   hash    KEYS[7] ready    sorted set
ARGV[1] 'pending', 'dead' or 'delivered'    ARGV[2] most to list
Returns {entry id, attempts, last status or 0, error, ms of `callback.lua`, joined ms, released ms, …}
]]
-- @include callback
-- @include record
local keys = { outbox = KEYS[1], callbacks = KEYS[2], dead = KEYS[3], dead_letters = KEYS[4], deliveries = KEYS[5] }
local limit, rows = tonumber(ARGV[2]), {}
local function times(id)
  local record = redis.call('HGET', KEYS[6], id)
  if record then
    local _, _, joined, finished = record_read_finished(record)
    return joined or 0, finished or 0
  end
  local letter = cjson.decode(redis.call('HGET', KEYS[4], id) or '{}')
  return letter.joined or 0, letter.released or 0
end
local function append(id)
  local state, attempts, status, problem, at = callback(keys, id)
  if state == ARGV[1] then
    for _, value in ipairs({ id, attempts, status, problem, at, times(id) }) do rows[#rows + 1] = value end
  end
end
if ARGV[1] == 'pending' then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, limit - 1)) do append(id) end
elseif ARGV[1] == 'dead' then
  for _, id in ipairs(redis.call('ZREVRANGE', KEYS[3], 0, limit - 1)) do append(id) end
else
  -- People whose callback is not delivered lie between; beyond ten times as many as asked for are not looked through.
  local from = 0
  while #rows < 7 * limit and from < 10 * limit do
    local ids = redis.call('ZREVRANGE', KEYS[7], from, from + limit - 1)
    if #ids == 0 then break end
    for _, id in ipairs(ids) do
      if #rows < 7 * limit then append(id) end
    end
    from = from + limit
  end
end
return rows
