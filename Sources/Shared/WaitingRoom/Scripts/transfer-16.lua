#!lua
--[[
Moves somebody who waits, was called or did not come to another service type of the same queue. They keep, or get back, their place.

KEYS, ARGV[1..2] and answer: `includes/desk.lua`
ARGV[3] what an entry keeps of the new type behind the name: "\31<type id>\31<code>\31<name>", or '' for none
]]
-- @include desk
local person = desk_wanted()
if not person then return { 0 } end
if person.state ~= 'w' and person.state ~= 'rk' and person.state ~= 'rn' then return { -1, person.state } end
local before = person.visitor
local name = string.match(before, '^\31[^\31]*')
if not name then return { -1, 'website' } end
person.visitor = name .. ARGV[3]
if person.state == 'w' then
  local type = walk_in_type(before)
  if type then redis.call('ZREM', KEYS[9], walk_in_member(type, person.sequence, person.id)) end
  record_change(KEYS[14], KEYS[2], person.id, person.sequence, person.joined, person.visitor)
  walk_in_waits(KEYS[9], person.id, person.sequence, person.visitor)
else
  desk_put_back(person)
end
desk_event('TRANSFER', person)
desk_without(person.id)
desk_note('transfer', person.id, '-', person.state .. ' ' .. before)
return desk_answer(person.id)
