#!lua flags=allow-oom
--[[
A desk calls somebody again who was called and has not come.

KEYS, ARGV and answer: `includes/desk.lua`
]]
-- @include desk
local person = desk_wanted()
if not person then return { 0 } end
if person.state ~= 'rk' then return { -1, person.state } end
local last = desk_last()
local isOurs = last.id == person.id
person.link = desk_link()
desk_write(person)
desk_event('RECALL', person)
if isOurs then
  desk_note(last.step, person.id, last.called, last.times + 1, last.before, last.more)
else
  desk_note('-', person.id, person.finished, 2)
end
return desk_answer(person.id)
