#!lua flags=allow-oom
--[[
Somebody was called and did not come. They stay known, so that they can be put back at the place they had (`return-16.lua`).

KEYS, ARGV and answer: `includes/desk.lua`
]]
-- @include desk
local person = desk_wanted()
if not person then return { 0 } end
if person.state ~= 'rk' then return { -1, person.state } end
person.state, person.link = 'rn', desk_link()
desk_write(person)
redis.call('ZREM', KEYS[15], person.id)
desk_event('NO_SHOW', person)
local times = last.current == person.id and last.times or 1
desk_without(person.id)
desk_note('no_show', person.id, '-', times)
return desk_answer(person.id)
