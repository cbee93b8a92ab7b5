#!lua flags=allow-oom
--[[
Looks at how a queue does and takes note of its incidents (`includes/incident.lua`). Any number of workers may look at once: what changes,
changes once. It runs when memory is full too, which is when people should hear of it.

queue_too_long     more wait than the threshold; over at nine tenths of it, or after some time not above it.
callbacks_failing  callbacks were given up lately.
queue_lost_data    Redis has lost people of the queue (`loss.lua`); over when releases go on.
release_stalled    the queue has a rate and people, somebody has waited for three times what one person takes, and all that time nobody was
                   let in, by a worker or a desk. Time that nobody looked does not count, and neither does time under another rate,
                   before the opening, or with as many inside as may be.

KEYS[1] settings hash          KEYS[2] waiting sorted set    KEYS[3] entries hash    KEYS[4] counters hash    KEYS[5] dead sorted set
KEYS[6] dead_letters hash      KEYS[7] incidents hash; its field "flow" is "<released> <rate> <that since ms> <looked at ms>"
KEYS[8] visitors stream        KEYS[9] sessions sorted set
ARGV[1] threshold of waiting people                 ARGV[2] how long a line not above it must be calm, ms
ARGV[3] how long a callback given up counts, ms     ARGV[4] shortest standstill that counts, ms
ARGV[5] pause between looks that means that nobody looked, ms
ARGV[6] '1' when the queue's tenant is active       ARGV[7] how long releases wait after a loss, ms
ARGV[8..] names of channels
Returns {1 when a channel is owed something, else 0, {kind, state, since ms, until ms, value, detail, …}}: the incidents that this call
opened or resolved.
]]
-- @include clock
-- @include place
-- @include record
-- @include sessions
-- @include incident
local settings = redis.call('HMGET', KEYS[1], 'active', 'rate', 'deleted', 'state', 'max_active', 'opens_at')
if not settings[2] or settings[3] == '1' then return { 0, {} } end
local changes = {}
local function note(kind, level, value, detail)
  if incident_note(KEYS[7], kind, level, value, detail, now_ms, tonumber(ARGV[2])) then incident_answer(changes, KEYS[7], kind) end
end

local waiting, threshold = redis.call('ZCARD', KEYS[2]), tonumber(ARGV[1])
note('queue_too_long', waiting > threshold and 'bad' or waiting <= threshold * 0.9 and 'good' or 'calm', waiting, ARGV[1])

local given_up = redis.call('ZCOUNT', KEYS[5], now_ms - tonumber(ARGV[3]), '+inf')
if given_up == 0 then
  note('callbacks_failing', 'good')
else
  local letter = redis.call('HGET', KEYS[6], redis.call('ZRANGE', KEYS[5], -1, -1)[1])
  local is_read, read = pcall(cjson.decode, letter or '')
  note('callbacks_failing', 'bad', given_up, is_read and type(read.error) == 'string' and read.error or 'not known')
end

local lost = redis.call('HMGET', KEYS[4], 'lost_at', 'restored')
local held_ms = tonumber(lost[1] or '0') + tonumber(ARGV[7]) - now_ms
if lost[1] and held_ms > 0 and held_ms <= tonumber(ARGV[7]) then
  note('queue_lost_data', 'bad', tonumber(lost[2] or '0'), string.format('%d', ARGV[7] / 1000))
else
  note('queue_lost_data', 'good')
end

local rate = tonumber(settings[2])
local may_go = settings[4] == 'passthrough' or
  (rate > 0 and (tonumber(settings[6] or '') or 0) <= now_ms and sessions_room(sessions_count(KEYS[9], now_ms), settings[5]) > 0)
if settings[1] == '1' and settings[4] ~= 'paused' and ARGV[6] == '1' and may_go and waiting > 0 then
  local released = redis.call('HGET', KEYS[4], 'released') or '0'
  local flow = redis.call('HGET', KEYS[7], 'flow') or ''
  local before, before_rate, since, looked = string.match(flow, '^(%d+) (%S+) (%d+) (%d+)$')
  local is_still = before == released and before_rate == settings[2]
  since, looked = tonumber(since), tonumber(looked)
  if not is_still or looked > now_ms or now_ms - looked > tonumber(ARGV[5]) then since = now_ms end
  redis.call('HSET', KEYS[7], 'flow', string.format('%s %s %d %d', released, settings[2], since, now_ms))

  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  local joined = record_waiting(KEYS[8], KEYS[3], first[1], place_sequence(tonumber(first[2])))
  local standstill = math.min(now_ms - since, now_ms - (joined or now_ms))
  -- Once open it is over when somebody is let in, whoever comes to be first in line and whether anybody looked.
  local is_open = incident_read(KEYS[7], 'release_stalled') == 'open'
  if standstill > math.max(tonumber(ARGV[4]), rate > 0 and 180000 / rate or 0) or (is_open and is_still) then
    note('release_stalled', 'bad', waiting, string.format('%d %s', standstill / 1000, settings[2]))
  else
    note('release_stalled', 'good')
  end
else
  redis.call('HDEL', KEYS[7], 'flow')
  note('release_stalled', 'good')
end
return { incident_owes(KEYS[7], 8, now_ms), changes }
