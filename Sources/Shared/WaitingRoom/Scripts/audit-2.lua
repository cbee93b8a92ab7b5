#!lua flags=allow-oom
--[[
Writes one line of the audit log, for all and for the application concerned, under the same id.

KEYS[1] audit log of all  stream    KEYS[2] that of the application, or the same  stream
ARGV    field, value, …
Returns the line's id.
]]
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', 50000, '*', unpack(ARGV))
if KEYS[2] ~= KEYS[1] then redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, id, unpack(ARGV)) end
return id
