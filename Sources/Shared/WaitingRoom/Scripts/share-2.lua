#!lua flags=allow-oom
--[[
Notes that a worker is alive, and locks shards of queues for it until it has its share of the queues. A lock lives as long as its worker
gives signs of life. The locks only keep workers from doing the same work, so one may be taken from a worker that lives and finds out at its
next beat: a shard is never without a worker in between.

1. Shards that are nobody's, or of a worker that is gone, are taken until this one has its share. Somebody always has less, so none is left
   when all have beaten once.
2. From the worker with the most queues, a shard at a time is taken as long as that makes the two more alike.

KEYS[1] workers  sorted set by the ms of the last beat    KEYS[2] shares  hash of shard to worker
ARGV[1] worker    ARGV[2] how long it may be silent, ms    ARGV[3] most shards to take from others at once
ARGV[4..] shard, how many queues are in it, … for each in which there are any
Returns the shards that are this worker's.
]]
-- @include clock
-- @include beat
local me = ARGV[1]
beat(KEYS[1], me, tonumber(ARGV[2]), now_ms)
local living, queues, shards = redis.call('ZRANGE', KEYS[1], 0, -1), {}, {}
for _, worker in ipairs(living) do queues[worker], shards[worker] = 0, {} end

local held = redis.call('HGETALL', KEYS[2])
local holders = {}
for i = 1, #held, 2 do holders[held[i]] = held[i + 1] end
local sizes, free, total = {}, {}, 0
for i = 4, #ARGV, 2 do
  local shard, size = ARGV[i], tonumber(ARGV[i + 1])
  local holder = holders[shard]
  sizes[shard], total = size, total + size
  if queues[holder] then
    queues[holder] = queues[holder] + size
    table.insert(shards[holder], shard)
  else
    free[#free + 1] = shard
  end
end

local function take(shard)
  redis.call('HSET', KEYS[2], shard, me)
  queues[me] = queues[me] + sizes[shard]
  table.insert(shards[me], shard)
end
for _, shard in ipairs(free) do
  if queues[me] * #living < total then take(shard) end
end
for _ = 1, tonumber(ARGV[3]) do
  local busiest = me
  for _, worker in ipairs(living) do
    if queues[worker] > queues[busiest] then busiest = worker end
  end
  local more, best = queues[busiest] - queues[me], nil
  for i, shard in ipairs(shards[busiest]) do
    local size = sizes[shard]
    if size < more and (not best or math.abs(2 * size - more) < math.abs(2 * sizes[shards[busiest][best]] - more)) then best = i end
  end
  if not best then break end
  local shard = table.remove(shards[busiest], best)
  queues[busiest] = queues[busiest] - sizes[shard]
  take(shard)
end
return shards[me]
