-- @include clock
-- @include admit
-- @include put_back
-- What the steps of a desk share. All of them have the same keys and begin with the same two arguments:
-- KEYS[1] waiting   sorted set    KEYS[2] entries hash          KEYS[3] ready     sorted set    KEYS[4] outbox    sorted set
-- KEYS[5] counters  hash          KEYS[6] days    hash          KEYS[7] durations list          KEYS[8] desks     hash
-- KEYS[9] typed     sorted set    KEYS[10] events stream        KEYS[11] transfers hash         KEYS[12] callbacks hash
-- KEYS[13] dead_letters hash     KEYS[14] visitors stream     KEYS[15] sessions  sorted set    KEYS[16] settings hash
-- ARGV[1] the desk's name, which may be ''    ARGV[2] entry id, or '' for the one whom this desk called last
-- They return {1, entry id, state, sequence, joined ms, finished ms, position, length, visitor, link} for the person as they are now,
-- {0} when there is no such person, or {-1, state} when the step does not fit what has become of them,
-- with 'website' for a visitor who cannot be moved and 'busy' for a desk that is with somebody else.
local desk, wanted = ARGV[1], ARGV[2]

-- `desks` keeps whom each desk called last, and its last step for undo: "<called entry id, or -> <called ms> <times called> <step, or ->
-- <entry id of the step> <entry id that the step served, or -> <what else undo needs>".
local function desk_last()
  local value = redis.call('HGET', KEYS[8], desk) or '- 0 0 - - - '
  local current, called, times, step, id, before, more = string.match(value, '^(%S+) (%d+) (%d+) (%S+) (%S+) (%S+) (.*)$')
  return { current = current, called = tonumber(called), times = tonumber(times), step = step, id = id, before = before, more = more }
end

local last = desk_last()

-- Writes `last` with the step that was taken; '-' is a step that cannot be undone.
local function desk_note(step, id, before, more)
  redis.call('HSET', KEYS[8], desk, string.format('%s %d %d %s %s %s %s', last.current, last.called, last.times, step, id,
    before or '-', more or ''))
  -- Names of desks are typed by people: of those that are not at work now, the one that called longest ago gives way.
  if redis.call('HLEN', KEYS[8]) <= 200 then return end
  local desks = redis.call('HGETALL', KEYS[8])
  local oldest, since
  for i = 1, #desks, 2 do
    local called = tonumber(string.match(desks[i + 1], '^%S+ (%d+)') or '0')
    if desks[i] ~= desk and (not since or called < since) then oldest, since = desks[i], called end
  end
  redis.call('HDEL', KEYS[8], oldest)
end

local function desk_with(id, called, times)
  last.current, last.called, last.times = id, called, times
end

-- Somebody is not at this desk any more.
local function desk_without(id)
  if last.current == id then desk_with('-', 0, 0) end
end

local function desk_link()
  return desk == '' and '-' or '@' .. string.gsub(desk, ' ', '\31')
end

-- What is known of a person, waiting ("w") or not; nil when that is nothing.
local function desk_person(id)
  local score = redis.call('ZSCORE', KEYS[1], id)
  if score then
    score = tonumber(score)
    local sequence = place_sequence(score)
    local joined, visitor = record_waiting(KEYS[14], KEYS[2], id, sequence)
    return joined and { id = id, state = 'w', score = score, sequence = sequence, joined = joined, finished = 0, link = '-',
      visitor = visitor }
  end
  local record = redis.call('HGET', KEYS[2], id)
  if not record then return nil end
  local state, sequence, joined, finished, link, visitor, detail = record_read_finished(record)
  return state and { id = id, state = state .. detail, sequence = sequence, joined = joined, finished = finished, link = link,
    visitor = visitor }
end

-- The person that the step is about.
local function desk_wanted()
  return desk_person(wanted ~= '' and wanted or last.current)
end

-- Whether this desk has called somebody else than `id` and not said what became of that.
local function desk_is_busy(id)
  local person = last.current ~= id and desk_person(last.current)
  return person and person.state == 'rk' and person.link == desk_link()
end

local function desk_answer(id)
  local person = desk_person(id)
  local rank = redis.call('ZRANK', KEYS[1], id)
  return { 1, id, person.state, person.sequence, person.joined, person.finished, rank and rank + 1 or 0, redis.call('ZCARD', KEYS[1]),
    person.visitor, person.link }
end

local function desk_event(kind, person, more)
  event(KEYS[10], kind, person.id, person.sequence, person.visitor, desk, more)
end

-- Writes a finished person's record again, with another state, time or link.
local function desk_write(person)
  redis.call('HSET', KEYS[2], person.id,
    record_finished(person.state, person.sequence, person.joined, person.finished, person.link, person.visitor))
  redis.call('ZADD', KEYS[3], person.finished, person.id)
end

-- A website's visitor who is let in is inside; who joined by name is at the counter.
local function desk_session(person)
  if string.byte(person.visitor) == 31 then return end
  redis.call('ZADD', KEYS[15], session_end(now_ms, session_ms(KEYS[16])), person.id)
end

-- Calls a waiting person to this desk ('rk'), or serves them at once ('r'); 'rn' is one who did not come. Returns whether they waited.
local function desk_admit(id, score, state, kind, more)
  local admitted = admit({ id, score }, state, KEYS[1], KEYS[14], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], now_ms, today,
    { typed = KEYS[9], events = KEYS[10], event = kind, desk = desk, link = desk_link(), more = more })
  if admitted == 1 and state ~= 'rn' then desk_session(desk_person(id)) end
  return admitted == 1
end

-- No callback is owed for somebody any more; what is kept of attempts that failed goes as well.
local function desk_owes_none(id)
  if redis.call('ZREM', KEYS[4], id) == 0 then return end
  redis.call('HDEL', KEYS[12], id)
  redis.call('HDEL', KEYS[13], id)
end

-- Puts a called person back into the line.
local function desk_put_back(person)
  put_back({ waiting = KEYS[1], entries = KEYS[2], ready = KEYS[3], counters = KEYS[5], days = KEYS[6], typed = KEYS[9] }, person.id,
    person.sequence, person.joined, person.finished, person.visitor, now_s)
  redis.call('ZREM', KEYS[15], person.id)
  desk_owes_none(person.id)
end

-- Notes how long a service took, for the forecast: the time since the one before it, but never longer than this person was here,
-- so that a pause of the desk does not count, and beside it how long they were here.
local function desk_note_service(joined)
  local before, here = tonumber(redis.call('HGET', KEYS[5], 'served_at') or '0'), math.max(0, now_ms - joined)
  redis.call('HSET', KEYS[5], 'served_at', now_ms)
  redis.call('LPUSH', KEYS[7], math.max(0, math.min(now_ms - before, here)) .. ':' .. here)
  redis.call('LTRIM', KEYS[7], 0, 19)
end

-- Somebody called is served.
local function desk_serve(person)
  person.state, person.finished = 'r', now_ms
  desk_write(person)
  desk_note_service(person.joined)
  desk_event('SERVE', person)
end
