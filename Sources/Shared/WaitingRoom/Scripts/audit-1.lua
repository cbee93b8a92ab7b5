#!lua flags=allow-oom
--[[
Writes one line of an audit log.

KEYS[1] log  stream
ARGV[1] how many lines to keep, about    ARGV[2..] field, value, …
Returns the line's id.
]]
return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 2))
