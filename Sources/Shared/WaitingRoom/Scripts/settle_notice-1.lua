#!lua flags=allow-oom
--[[
Writes down how the attempt to send a notice ended. What another worker has settled meanwhile, or a later incident, is left alone.

KEYS[1] incidents hash
ARGV[1] kind    ARGV[2] channel    ARGV[3] since ms, of the incident
ARGV[4] what the channel has been told: 'open' or 'resolved', or '' when it could not be    ARGV[5] pause before the next attempt, ms
Returns 1 when written, else 0.
]]
-- @include clock
-- @include incident
local since, told, _, attempts = incident_told(KEYS[1], ARGV[1], ARGV[2])
if since ~= ARGV[3] or told == 'resolved' then return 0 end
if ARGV[4] == '' then
  incident_tell(KEYS[1], ARGV[1], ARGV[2], since, told, now_ms + tonumber(ARGV[5]), tonumber(attempts) + 1)
else
  incident_tell(KEYS[1], ARGV[1], ARGV[2], since, ARGV[4], 0, 0)
end
return 1
