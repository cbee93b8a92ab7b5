#!lua flags=allow-oom
--[[
Tells what gateways need for telling places without asking Redis each time. Made anew at most five times a second however many gateways ask,
and told ahead of its time: all gateways show it from the same moment on, so that nobody is shown a higher place by another gateway.

KEYS[1] waiting sorted set    KEYS[2] counters hash    KEYS[3] view hash    KEYS[4] sessions sorted set    KEYS[5] settings hash
ARGV[1] id of the latest view that the caller has, 0 for none
ARGV[2] highest sequence number that the caller knows; one that the counter has not reached tells of a loss
ARGV[3] '1' when the caller may show that view still, by its own clock: this server's may have been set meanwhile
Returns {now ms, id, ms when it was known to hold last, ms from when it is to be shown, view or '' where the caller has it} and, while it is not to
  be shown yet, the same four of the view before it for a caller that does not have that.
A view is "<waiting> <sequence> <let_in_through> <lost_from> <lost_highest> <lost_through> <lost_at> <inside> <what `flow_rates` of `flow.lua`
  tells> <1 while lots are drawn, else 0>;<front>;<ranks>;<ranks>…":
  front  the first in line, exactly: "<sequence> <how many from there> " for each run of consecutive sequence numbers
  ranks  "<sequence> <how many stand at it or before it> " for each number behind the front that is a multiple of its step: as the first in
         line moves on, numbers are added between, and none goes but at the front (`QueueView.swift`). Further back they come in stretches,
         of which one is counted in each view, so that a long line takes no longer: after the first number they tell how many more than at it,
         as it was then; it can only have become fewer. While lots are drawn, which come to stand anywhere, there are none.
]]
-- @include clock
-- @include flow
-- @include loss
-- @include opening
-- @include place
-- How many are told exactly; how fine the ranks are, a part of the distance; how long a view is good enough, how long one is shown that no
-- other follows, and how long before its time one is told, ms.
local FRONT, PARTS = 1000, 128
-- How far all ranks are counted each time, and how fine those of a stretch are whose turn has not come yet.
local NEAR, COARSE_PARTS = 2048, 16
local PERIOD, LIFE, LEAD = 200, 1000, 300
-- How long what was counted of a long line is kept after a gateway has asked last: a coarser view would show higher places.
local MEMORY = 600000

local known = redis.call('HMGET', KEYS[3], 'id', 'made', 'from', 'sign', 'due')
local id, made, from = tonumber(known[1] or '0'), tonumber(known[2] or '0'), tonumber(known[3] or '0')
-- How many stretches have not been counted since the line changed.
local due = tonumber(known[5] or '0')

local function through(sequence) return redis.call('ZCOUNT', KEYS[1], '-inf', string.format('(%d', sequence + 1)) end

-- The greatest power of two within a part of the distance.
local function step_at(distance, parts)
  local step = 1
  while step * 2 * parts <= distance do step = step * 2 end
  return step
end

-- The ranks from a number to before another, less `base`.
local function ranks(from, to, first, parts, base)
  local texts, at = {}, from
  while at < to do
    local step = step_at(at - first, parts)
    if at % step == 0 then texts[#texts + 1] = string.format('%d %d ', at, through(at) - base) end
    at = (math.floor(at / step) + 1) * step
  end
  return table.concat(texts)
end

-- Where the next stretch begins behind one that begins at `start`, so that it is as long as it is far.
local function next_start(start, first)
  local distance = 2 * (start - first)
  local step = step_at(distance, PARTS)
  return math.ceil((first + distance) / step) * step
end

local function stretch(start) return string.format('stretch:%d', start) end

-- The ranks of all who stand behind the front. What was counted before of stretches that reach beyond `valid` does not hold any more.
local function all_ranks(first, last, highest, valid, is_changed)
  local known = redis.call('HMGET', KEYS[3], 'starts', 'turn')
  local counted, starts = {}, {}
  for start in string.gmatch(known[1] or '', '%d+') do counted[#counted + 1] = tonumber(start) end
  for i, start in ipairs(counted) do
    if start > last and start - first >= NEAR / 2 and (counted[i + 1] or math.huge) <= valid then
      starts[#starts + 1] = start
    else
      redis.call('HDEL', KEYS[3], stretch(start))
    end
  end
  local old = #starts
  local start = next_start(starts[#starts] or first + NEAR / 2, first)
  while start <= highest do
    if start > last then starts[#starts + 1] = start end
    start = next_start(start, first)
  end
  local texts = { ranks(last + 1, starts[1] or highest + 1, first, PARTS, 0) }
  if #starts == 0 then
    due = 0
    return texts[1]
  end

  local function count(i, parts)
    local text = ranks(starts[i] + 1, starts[i + 1] or highest + 1, first, parts, through(starts[i]))
    redis.call('HSET', KEYS[3], stretch(starts[i]), text)
  end
  if old == 0 then
    for i = 1, #starts do count(i, COARSE_PARTS) end
    due = #starts
  elseif #starts > old then
    -- One at a time as a line grows; many where lots were drawn behind it.
    for i = old, #starts do count(i, i > old and #starts > old + 1 and COARSE_PARTS or PARTS) end
    due = #starts
  else
    local turn = 1
    for i = #starts, 1, -1 do
      if starts[i] > tonumber(known[2] or '0') then turn = i end
    end
    -- The line has moved on, and it is too long for where it is.
    local middle = next_start(starts[turn], first)
    if middle * 2 < starts[turn] + (starts[turn + 1] or highest) then
      table.insert(starts, turn + 1, middle)
      count(turn + 1, PARTS)
    end
    count(turn, PARTS)
    redis.call('HSET', KEYS[3], 'turn', starts[turn])
    due = math.max(0, (is_changed and #starts or due) - 1)
  end
  local names = {}
  for i = 1, #starts do names[i] = stretch(starts[i]) end
  local stretches = redis.call('HMGET', KEYS[3], unpack(names))
  for i = 1, #starts do
    texts[i + 1] = string.format('%d %d ', starts[i], through(starts[i])) .. (stretches[i] or '')
    names[i] = string.format('%d', starts[i])
  end
  redis.call('HSET', KEYS[3], 'starts', table.concat(names, ' '))
  return table.concat(texts, ';')
end

local function view(counters, inside, is_drawing, is_changed)
  local people = redis.call('ZRANGE', KEYS[1], 0, FRONT - 1, 'WITHSCORES')
  local front, start, count, last = {}, nil, 0, nil
  for i = 2, #people, 2 do
    local sequence = place_sequence(tonumber(people[i]))
    if last and sequence == last + 1 then
      count = count + 1
    else
      if start then front[#front + 1] = string.format('%d %d ', start, count) end
      start, count = sequence, 1
    end
    last = sequence
  end
  if start then front[#front + 1] = string.format('%d %d ', start, count) end
  local behind = ''
  if #people == 2 * FRONT and not is_drawing then
    local first = place_sequence(tonumber(people[2]))
    local highest = place_sequence(tonumber(redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]))
    local valid, drawn = math.huge, string.format('%s %s', counters[12] or '', counters[13] or '')
    -- Behind all who were there before, lots were drawn since.
    if drawn ~= redis.call('HGET', KEYS[3], 'drawn') then valid = tonumber(redis.call('HGET', KEYS[2], 'draw_from') or '0') end
    -- While people come back after a loss, what was counted before may be too few.
    if now_ms - tonumber(counters[6] or '0') <= 60000 then valid = 0 end
    behind = all_ranks(first, last, highest, valid, is_changed)
    redis.call('HSET', KEYS[3], 'drawn', drawn)
  else
    due = 0
  end
  return table.concat({ redis.call('ZCARD', KEYS[1]), counters[1] or 0, counters[2] or 0, counters[3] or 0, counters[4] or 0,
    counters[5] or 0, counters[6] or 0, inside,
    table.concat({ flow_rates(counters[14]) }, ' '), is_drawing and 1 or 0 }, ' ') .. ';' .. table.concat(front) .. ';' .. behind
end

-- What was known before a loss is shown no more.
local is_lost = check_sequence(KEYS[2], tonumber(ARGV[2]), now_ms)
local age = now_ms - made
if is_lost or age < 0 or age >= PERIOD then
  local counters = redis.call('HMGET', KEYS[2], 'sequence', 'let_in_through', 'lost_from', 'lost_highest', 'lost_through', 'lost_at',
    'released', 'waited_ms', 'expired', 'cancelled', 'restored', 'draw', 'drawn', 'flow')
  local first = redis.call('ZRANGE', KEYS[1], 0, 0)[1] or ''
  local inside = redis.call('ZCOUNT', KEYS[4], string.format('(%d', now_ms), '+inf')
  local settings = redis.call('HMGET', KEYS[5], 'opens_at', 'pre_queue_order')
  local is_drawing = is_drawing(settings[1], settings[2], now_ms)
  local parts = { redis.call('ZCARD', KEYS[1]), first, inside, tostring(is_drawing) }
  for i = 1, 13 do parts[#parts + 1] = counters[i] or 0 end
  -- Whoever comes or goes changes one of them: also one who is called while another is put back, by how long they have waited.
  local sign = table.concat(parts, ' ')
  made, from = now_ms, math.min(from, now_ms + LEAD)
  if sign == known[4] and due == 0 then
    redis.call('HSET', KEYS[3], 'made', made, 'from', from)
  else
    local is_shown = not is_lost and (ARGV[3] == '1' or age >= 0 and age < LIFE)
    if is_shown and id > 0 then
      redis.call('HSET', KEYS[3], 'id_before', id, 'made_before', now_ms, 'from_before', from, 'view_before',
        redis.call('HGET', KEYS[3], 'view'))
    else
      redis.call('HDEL', KEYS[3], 'id_before')
    end
    from = is_shown and now_ms + LEAD or now_ms
    id = now_ms
    redis.call('HSET', KEYS[3], 'view', view(counters, inside, is_drawing, sign ~= known[4]), 'id', id, 'made', made, 'from', from, 'sign', sign,
      'due', due)
  end
  redis.call('PEXPIRE', KEYS[3], parts[1] > FRONT and MEMORY or LIFE * 2)
end

if ARGV[1] == string.format('%d', id) then return { now_ms, id, made, from, '' } end
local told = redis.call('HMGET', KEYS[3], 'view', 'id_before', 'made_before', 'from_before', 'view_before')
if from <= now_ms or not told[2] or told[2] == ARGV[1] then return { now_ms, id, made, from, told[1] } end
return { now_ms, id, made, from, told[1], tonumber(told[2]), tonumber(told[3]), tonumber(told[4]), told[5] }
