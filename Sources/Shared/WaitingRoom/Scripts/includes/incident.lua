-- What the hash `incidents` keeps.
-- <kind>: "<state> <since ms> <until ms> <calm since ms> <value> <detail>" of the latest incident of that kind. State: open or resolved;
-- until and calm are 0 while it has no end and is not calm.
-- <kind>@<channel>: "<since ms> <told> <not before ms> <attempts>" what a channel was told of the incident that began then: none, open
-- or resolved. "Not before" is the end of a claim, or of the pause after an attempt that failed.
local INCIDENT_KINDS = { 'queue_too_long', 'callbacks_failing', 'release_stalled', 'queue_lost_data', 'redis_unwell' }
-- A claim or pause that would last longer than this was set before the clock went back.
local INCIDENT_LONGEST_MS = 3600000

-- state, since, until, calm since, value, detail; nil when there was none.
local function incident_read(key, kind)
  local record = redis.call('HGET', key, kind)
  if not record then return nil end
  return string.match(record, '^(%a+) (%d+) (%d+) (%d+) (%d+) (.*)$')
end

local function incident_write(key, kind, state, since, until_ms, calm, value, detail)
  redis.call('HSET', key, kind, string.format('%s %s %d %d %d %s', state, since, until_ms, calm, value, detail))
end

-- Takes note of how things stand: at 'bad' an incident is open, at 'good' it is over, and so it is after some time that was 'calm', which
-- opens none: what hovers about a limit is one incident.
-- Returns 'open' or 'resolved' when that is new, so that one of any number of callers hears it; else nil.
local function incident_note(key, kind, level, value, detail, now_ms, calm_ms, began_ms)
  local state, since, _, calm, known_value, known_detail = incident_read(key, kind)
  if level == 'bad' then
    if state ~= 'open' then
      incident_write(key, kind, 'open', string.format('%d', began_ms or now_ms), 0, 0, value, detail)
      return 'open'
    end
    if calm ~= '0' or tonumber(known_value) ~= value or known_detail ~= detail then
      incident_write(key, kind, 'open', since, 0, 0, value, detail)
    end
    return nil
  end
  if state ~= 'open' then return nil end
  calm = tonumber(calm)
  if calm == 0 or calm > now_ms then calm = now_ms end
  if level == 'good' or now_ms - calm >= calm_ms then
    incident_write(key, kind, 'resolved', since, now_ms, 0, known_value, known_detail)
    return 'resolved'
  end
  incident_write(key, kind, 'open', since, 0, calm, known_value, known_detail)
  return nil
end

-- Adds what an answer tells of the latest incident of a kind: kind, state, since, until, value, detail.
local function incident_answer(answer, key, kind)
  local state, since, until_ms, _, value, detail = incident_read(key, kind)
  for _, field in ipairs({ kind, state, since, until_ms, value, detail }) do answer[#answer + 1] = field end
  return answer
end

local function incident_told(key, kind, channel)
  local told = redis.call('HGET', key, kind .. '@' .. channel)
  if not told then return nil end
  return string.match(told, '^(%d+) (%a+) (%d+) (%d+)$')
end

local function incident_tell(key, kind, channel, since, told, not_before_ms, attempts)
  redis.call('HSET', key, kind .. '@' .. channel, string.format('%s %s %d %d', since, told, not_before_ms, attempts))
end

-- Of the incident that a channel is owed a notice of now: since ms, what it was told, attempts that failed; nil when it is owed none. A
-- channel that never heard of an incident, since it was not there yet, does not hear of its end.
local function incident_owed(key, kind, channel, now_ms)
  local state, since = incident_read(key, kind)
  if not state then return nil end
  local of, told, not_before, attempts = incident_told(key, kind, channel)
  if of ~= since then
    if state ~= 'open' then return nil end
    return since, 'none', 0
  end
  not_before = tonumber(not_before)
  if told == state or (not_before > now_ms and not_before <= now_ms + INCIDENT_LONGEST_MS) then return nil end
  return since, told, tonumber(attempts)
end

-- 1 when anything is owed to one of the channels ARGV[first], ARGV[first + 1], … now, else 0.
local function incident_owes(key, first, now_ms)
  for _, kind in ipairs(INCIDENT_KINDS) do
    if redis.call('HEXISTS', key, kind) == 1 then
      for i = first, #ARGV do
        if incident_owed(key, kind, ARGV[i], now_ms) then return 1 end
      end
    end
  end
  return 0
end
