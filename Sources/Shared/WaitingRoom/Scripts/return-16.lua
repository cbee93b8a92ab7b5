#!lua
--[[
Puts somebody who was called, or did not come, back into the line at the place they had.

KEYS, ARGV and answer: `includes/desk.lua`
]]
-- @include desk
local person = desk_wanted()
if not person then return { 0 } end
if person.state ~= 'rk' and person.state ~= 'rn' then return { -1, person.state } end
desk_put_back(person)
desk_event('RETURN', person)
desk_without(person.id)
desk_note('return', person.id, '-', person.state)
return desk_answer(person.id)
