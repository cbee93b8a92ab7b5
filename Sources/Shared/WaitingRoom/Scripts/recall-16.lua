#!lua flags=allow-oom
--[[
A desk calls somebody again who was called and has not come.

KEYS, ARGV and answer: `includes/desk.lua`
]]
-- @include desk
local person = desk_wanted()
if not person then return { 0 } end
if person.state ~= 'rk' then return { -1, person.state } end
if desk_is_busy(person.id) then return { -1, 'busy' } end
person.link = desk_link()
desk_write(person)
desk_event('RECALL', person)
if last.current == person.id then
  desk_with(person.id, last.called, last.times + 1)
  desk_note(last.step, last.id, last.before, last.more)
else
  desk_with(person.id, person.finished, 2)
  desk_note('-', '-')
end
return desk_answer(person.id)
