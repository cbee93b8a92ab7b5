#!lua flags=allow-oom
--[[
Writes back a tenant's or an account's record that Redis has lost, or has an older state of. One that was changed later stays.

KEYS[1] record  hash
ARGV[1] when the state was written, µs of Redis's clock, 0 for one that was never changed    ARGV[2..] field, value, …
Returns 1, or 0 when what is there is as new.
]]
-- @include write_back
return write_back(KEYS[1], tonumber(ARGV[1]), 2) and 1 or 0
