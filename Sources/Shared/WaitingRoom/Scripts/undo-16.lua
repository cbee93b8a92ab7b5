#!lua
--[[
Takes back the last step of a desk, once: whoever it was about is where they were before. When somebody has moved on meanwhile (they left,
or another desk called them), nothing changes. The forecast keeps what it learnt.

KEYS, ARGV[1..2] and answer: `includes/desk.lua` (ARGV[2] is not looked at); besides
{2, entry id, "<queue>:<entry>", ''} when the step was to hand somebody over: that queue has to give them back
]]
-- @include desk
local person = last.step ~= '-' and desk_person(last.id)
if not person then return { 0 } end
local state, is_ours = person.state, person.link == desk_link()

if last.step == 'call' or last.step == 'serve_next' then
  if not is_ours or state ~= (last.step == 'call' and 'rk' or 'r') then return { -1, state } end
  desk_put_back(person)
  desk_event('RETURN', person, 'undo')
  desk_without(person.id)
  local before = last.before ~= '-' and desk_person(last.before)
  if before and before.state == 'r' and before.link == desk_link() then
    local called, times = string.match(last.more, '^(%d+) (%d+)')
    before.state, before.finished = 'rk', tonumber(called)
    desk_write(before)
    desk_event('RECALL', before, 'undo')
    desk_with(before.id, before.finished, tonumber(times))
  end
elseif last.step == 'serve' or last.step == 'no_show' then
  if not is_ours or state ~= (last.step == 'serve' and 'r' or 'rn') then return { -1, state } end
  if desk_is_busy(person.id) then return { -1, 'busy' } end
  if last.step == 'serve' then
    person.finished = tonumber(last.more)
    desk_with(person.id, person.finished, last.current == person.id and last.times or 1)
  else
    desk_with(person.id, person.finished, tonumber(last.more))
    desk_session(person)
  end
  person.state = 'rk'
  desk_write(person)
  desk_event('RECALL', person, 'undo')
elseif last.step == 'return' or last.step == 'transfer' then
  if state ~= 'w' then return { -1, state } end
  local was, before = last.more, nil
  if last.step == 'transfer' then was, before = string.match(last.more, '^(%S+) (.*)$') end
  if was == 'rk' and desk_is_busy(person.id) then return { -1, 'busy' } end
  if before then
    local type = walk_in_type(person.visitor)
    if type then redis.call('ZREM', KEYS[9], walk_in_member(type, person.sequence, person.id)) end
    person.visitor = before
    record_change(KEYS[14], KEYS[2], person.id, person.sequence, person.joined, before)
    walk_in_waits(KEYS[9], person.id, person.sequence, before)
    if was == 'w' then desk_event('TRANSFER', person, 'undo') end
  end
  if was ~= 'w' then
    desk_admit(person.id, person.score, was, was == 'rk' and 'CALL' or 'NO_SHOW', 'undo')
    -- Nobody is called back for somebody who did not come.
    if was == 'rn' then desk_owes_none(person.id) end
    if was == 'rk' then desk_with(person.id, now_ms, 1) end
  end
else
  if state ~= 'rt' then return { -1, state } end
  return { 2, person.id, string.sub(person.link, 2), '' }
end
desk_note('-', '-')
return desk_answer(person.id)
