#!lua flags=no-writes
--[[
Lists whom each desk has called last, and who has been served so lately that a screen still shows it.

KEYS[1] desks  hash (`includes/desk.lua`)    KEYS[2] entries  hash
ARGV[1] how long somebody served stays listed, ms
Returns {desk, entry id, state, sequence, joined ms, finished ms, visitor, called ms, times called, link, …}
]]
-- @include clock
-- @include record
local desks, rows = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #desks, 2 do
  local id, called, times = string.match(desks[i + 1], '^(%S+) (%d+) (%d+)')
  local record = id and redis.call('HGET', KEYS[2], id)
  local state, sequence, joined, finished, link, visitor, detail
  if record then state, sequence, joined, finished, link, visitor, detail = record_read_finished(record) end
  local is_ours = link == (desks[i] == '' and '-' or '@' .. string.gsub(desks[i], ' ', '\31'))
  if is_ours and state == 'r' and (detail == 'k' or (detail == '' and now_ms - finished < tonumber(ARGV[1]))) then
    for _, value in ipairs({ desks[i], id, state .. detail, sequence, joined, finished, visitor, tonumber(called), tonumber(times), link }) do
      rows[#rows + 1] = value
    end
  end
end
return rows
