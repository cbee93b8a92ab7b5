#!lua
--[[
Sends somebody who waits, was called or did not come to another queue of the same tenant. That queue has keys of its own, perhaps on
another server, so it takes a second step there (`arrive-9.lua`). Until that has happened the person is in `transfers`, where a worker
finds them should the caller die in between.

KEYS, ARGV[1..2] and answer: `includes/desk.lua`
ARGV[3] "<queue>:<entry>" to become    ARGV[4] 'to', or 'back' to the queue that had handed them over
ARGV[5] 'w' when they must still wait, or ''
]]
-- @include desk
local person = desk_wanted()
if not person then return { 0 } end
if person.state ~= 'w' and person.state ~= 'rk' and person.state ~= 'rn' then return { -1, person.state } end
if ARGV[5] == 'w' and person.state ~= 'w' then return { -1, person.state } end
if string.byte(person.visitor) ~= 31 then return { -1, 'website' } end
redis.call('HSET', KEYS[11], person.id, ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. person.visitor)
local was = person.state
if was == 'w' then
  admit({ person.id, person.score }, 'rt', KEYS[1], KEYS[14], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], now_ms, today,
    { typed = KEYS[9], events = KEYS[10], event = 'TRANSFER', desk = desk, link = '>' .. ARGV[3], more = ARGV[3] })
else
  person.state, person.link = 'rt', '>' .. ARGV[3]
  desk_write(person)
  desk_event('TRANSFER', person, ARGV[3])
end
-- Nobody was let in: no callback is owed.
desk_owes_none(person.id)
desk_without(person.id)
desk_note('hand_over', person.id)
return desk_answer(person.id)
