-- When a queue takes people and lets them in. Times are texts of ms, '' for none.
local function is_closed(state, closes_at, now_ms)
  return state == 'closed' or (tonumber(closes_at or '') or math.huge) <= now_ms
end

-- Whether places are drawn by lot: before the opening, unless the order is that of joining.
local function is_drawing(opens_at, order, now_ms)
  return order ~= 'fifo' and (tonumber(opens_at or '') or 0) > now_ms
end

-- All sequence numbers, and the part of those left that an opening takes.
local MOST_SEQUENCE, PART = 2 ^ 36, 256
-- A lot is less than this.
local LOTS = 2 ^ 48

-- The sequence number that a lot gives. Those who come before an opening share a stretch of numbers that is taken when the first of them
-- comes: behind all who came before, and before all who come later. In `counters`: `draw` names the opening, `draw_from` and `draw_slots`
-- the stretch, and `drawn` how many have drawn.
-- Returns the number, and the highest one given.
local function draw_place(waiting_key, counters_key, opening, lot)
  local known = redis.call('HMGET', counters_key, 'draw', 'draw_from', 'draw_slots')
  local from, slots = tonumber(known[2]), tonumber(known[3])
  if known[1] ~= opening then
    from = tonumber(redis.call('HGET', counters_key, 'sequence') or '0')
    slots = math.floor((MOST_SEQUENCE - from) / PART)
    redis.call('HINCRBY', counters_key, 'sequence', string.format('%d', slots))
    redis.call('HINCRBY', counters_key, 'skipped', string.format('%d', slots))
    redis.call('HSET', counters_key, 'draw', opening, 'draw_from', string.format('%d', from), 'draw_slots', string.format('%d', slots), 'drawn', 0)
  end
  redis.call('HINCRBY', counters_key, 'skipped', -1)
  redis.call('HINCRBY', counters_key, 'drawn', 1)
  local slot = math.floor(lot * slots / LOTS)
  local function number() return from + 1 + slot % slots end
  -- One that somebody has is left to who came first.
  while redis.call('ZCOUNT', waiting_key, string.format('%d', number()), string.format('(%d', number() + 1)) > 0 do slot = slot + 1 end
  return number(), from + slots
end
