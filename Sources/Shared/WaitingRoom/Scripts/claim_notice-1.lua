#!lua flags=allow-oom
--[[
Claims one notice that is owed to a channel: for the time of a lease no other worker gets it, and it comes back when this worker dies before
settling it.

KEYS[1] incidents hash
ARGV[1] channel    ARGV[2] lease, ms
Returns {attempts that failed, kind, state, since ms, until ms, value, detail}, or {} when nothing is owed.
]]
-- @include clock
-- @include incident
for _, kind in ipairs(INCIDENT_KINDS) do
  local since, told, attempts = incident_owed(KEYS[1], kind, ARGV[1], now_ms)
  if since then
    incident_tell(KEYS[1], kind, ARGV[1], since, told, now_ms + tonumber(ARGV[2]), attempts)
    return incident_answer({ attempts }, KEYS[1], kind)
  end
end
return {}
