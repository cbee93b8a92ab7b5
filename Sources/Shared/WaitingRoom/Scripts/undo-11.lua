#!lua
--[[
Takes back the last step of a desk, once: whoever it was about is where they were before. When somebody has moved on meanwhile (they left,
or another desk called them), nothing changes. The forecast keeps what it learnt.

KEYS, ARGV[1..2] and answer: `includes/desk.lua` (ARGV[2] is not looked at); besides
{2, entry id, "<queue>:<entry>", state before} when the step was to hand somebody over: that queue has to give them back
]]
-- @include desk
local last = desk_last()
local person = last.id ~= '-' and desk_person(last.id)
if not person or last.step == '-' then return { 0 } end
local state, isOurs = person.state, person.link == desk_link()

if last.step == 'call' or last.step == 'serve_next' then
  if not isOurs or state ~= (last.step == 'call' and 'rk' or 'r') then return { -1, state } end
  desk_put_back(person)
  desk_event('RETURN', person, 'undo')
  local before = last.before ~= '-' and desk_person(last.before)
  if before and before.state == 'r' and before.link == desk_link() then
    before.state, before.finished = 'rk', tonumber(last.more)
    desk_write(before)
    desk_event('RECALL', before, 'undo')
    desk_note('-', before.id, before.finished, 1)
  else
    desk_note('-', '-', 0, 0)
  end
elseif last.step == 'serve' or last.step == 'no_show' then
  if not isOurs or state ~= (last.step == 'serve' and 'r' or 'rn') then return { -1, state } end
  person.state, person.finished = 'rk', last.called
  desk_write(person)
  desk_event('RECALL', person, 'undo')
  desk_note('-', person.id, last.called, last.times)
elseif last.step == 'return' or last.step == 'transfer' then
  if state ~= 'w' then return { -1, state } end
  local was, before = last.more, nil
  if last.step == 'transfer' then
    was, before = string.match(last.more, '^(%S+) (.*)$')
    local type = walk_in_type(person.visitor)
    if type then redis.call('ZREM', KEYS[9], walk_in_member(type, person.sequence, person.id)) end
    person.visitor = before
    redis.call('HSET', KEYS[2], person.id, record_waiting(person.joined, before))
    walk_in_waits(KEYS[9], person.id, person.sequence, before)
    if was == 'w' then desk_event('TRANSFER', person, 'undo') end
  end
  if was == 'w' then
    desk_note('-', '-', 0, 0)
  else
    desk_admit({ person.id, person.score }, was, was == 'rk' and 'CALL' or 'NO_SHOW', 'undo')
    if was == 'rn' then redis.call('ZREM', KEYS[4], person.id) end
    desk_note('-', person.id, now_ms, 1)
  end
else
  if state ~= 'rt' then return { -1, state } end
  return { 2, person.id, string.sub(person.link, 2), last.more }
end
return desk_answer(person.id)
