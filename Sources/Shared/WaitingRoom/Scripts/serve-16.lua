#!lua flags=allow-oom
--[[
A desk is done with somebody whom it called.

KEYS, ARGV and answer: `includes/desk.lua`
]]
-- @include desk
local person = desk_wanted()
if not person then return { 0 } end
if person.state ~= 'rk' then return { -1, person.state } end
local called = person.finished
person.link = desk_link()
desk_serve(person)
desk_note('serve', person.id, '-', called)
return desk_answer(person.id)
