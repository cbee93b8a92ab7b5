#!lua flags=no-writes
--[[
Reads who was let in lately, the latest first, for a worker that has not let them in itself.

KEYS[1] ready sorted set    KEYS[2] entries hash
ARGV[1] how many of the latest to pass over    ARGV[2] how many to read
Returns {how many were read, {sequence, ms when, …}}
]]
-- @include record
local people = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[1] + ARGV[2] - 1, 'REV', 'WITHSCORES')
local ids = {}
for i = 1, #people, 2 do ids[#ids + 1] = people[i] end
if #ids == 0 then return { 0, {} } end
local releases = {}
for i, record in ipairs(redis.call('HMGET', KEYS[2], unpack(ids))) do
  local state, sequence, detail, _
  if record then state, sequence, _, _, _, _, detail = record_read_finished(record) end
  if state == 'r' and detail ~= 'n' and detail ~= 't' then
    releases[#releases + 1] = sequence
    releases[#releases + 1] = tonumber(people[2 * i])
  end
end
return { #ids, releases }
