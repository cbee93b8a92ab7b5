#!lua flags=allow-oom
--[[
Takes note of how a part of the service that is no queue does, such as Redis (`includes/incident.lua`).

KEYS[1] incidents hash
ARGV[1] kind    ARGV[2] 'bad', 'calm' or 'good'    ARGV[3] what is wrong, in words    ARGV[4] how long it must be calm to be over, ms
ARGV[5] ms since 1970 when it began, or '' for now
ARGV[6..] each channel and what it was told already of an incident that is new to it: 'open', 'none' when that failed, '' for nothing yet
Returns {1 when a channel is owed something, else 0, {kind, state, since ms, until ms, value, detail}}: the second is empty unless this call
opened or resolved it.
]]
-- @include clock
-- @include incident
local change = incident_note(KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], now_ms, tonumber(ARGV[4]), tonumber(ARGV[5]))
local owes = 0
for i = 6, #ARGV, 2 do
  local channel, told = ARGV[i], ARGV[i + 1]
  local state, since = incident_read(KEYS[1], ARGV[1])
  if told ~= '' and state == 'open' and incident_told(KEYS[1], ARGV[1], channel) ~= since then
    incident_tell(KEYS[1], ARGV[1], channel, since, told, 0, 0)
  end
  if incident_owed(KEYS[1], ARGV[1], channel, now_ms) then owes = 1 end
end
return { owes, change and incident_answer({}, KEYS[1], ARGV[1]) or {} }
