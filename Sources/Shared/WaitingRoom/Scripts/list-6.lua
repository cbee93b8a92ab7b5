#!lua flags=no-writes
--[[
Lists people of a queue: those waiting in their order, then those who finished, in the order in which they did.

KEYS[1] waiting  sorted set    KEYS[2] ready    sorted set    KEYS[3] expired sorted set
KEYS[4] rejected sorted set    KEYS[5] entries  hash          KEYS[6] visitors stream
ARGV[1] states wanted, letters of w r e c    ARGV[2] people to skip    ARGV[3] most people to list
Returns {length of the line, now ms, {id, state, sequence, joined ms, finished ms, position, silence s, visitor id, …}}
]]
-- @include clock
-- @include place
-- @include record
local skip, left = tonumber(ARGV[2]), tonumber(ARGV[3])
local rows = {}
local function append(...)
  for _, value in ipairs({ ... }) do rows[#rows + 1] = value end
end
for index, state in ipairs({ 'w', 'r', 'e', 'c' }) do
  if left > 0 and string.find(ARGV[1], state, 1, true) then
    local size = redis.call('ZCARD', KEYS[index])
    local members = redis.call('ZRANGE', KEYS[index], skip, skip + left - 1, 'WITHSCORES')
    local lines = state == 'w' and #members > 0
      and record_lines(KEYS[6], place_sequence(tonumber(members[2])), place_sequence(tonumber(members[#members])))
    for i = 1, #members, 2 do
      local id, score = members[i], tonumber(members[i + 1])
      if state == 'w' then
        local sequence = place_sequence(score)
        local joined, visitor = record_waiting(KEYS[6], KEYS[5], id, sequence, lines)
        if joined then append(id, 'w', sequence, joined, 0, skip + (i + 1) / 2, place_silence(score, now_s), visitor) end
      else
        local _, sequence, joined, finished, _, visitor, detail = record_read_finished(redis.call('HGET', KEYS[5], id) or '')
        if joined then append(id, state .. detail, sequence, joined, finished, 0, 0, visitor) end
      end
      left = left - 1
    end
    skip = math.max(0, skip - size)
  end
end
return { redis.call('ZCARD', KEYS[1]), now_ms, rows }
