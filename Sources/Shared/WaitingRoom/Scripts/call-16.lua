#!lua flags=allow-oom
--[[
A desk calls the first in line, or the first who asked for a service type: the same atom as a release (`admit.lua`), so two desks, or a
desk and a worker, never get one person twice. It spends nothing of the token bucket. Whoever this desk called before is served with it.

KEYS, ARGV[1..2] and answer: `includes/desk.lua` (ARGV[2] is not looked at); {0} when nobody waits
ARGV[3] 'rk' to call, 'r' to serve at once    ARGV[4] id of a service type, or ''
]]
-- @include desk
local before = { called = last.called, times = last.times }
local done = last.current ~= '-' and desk_person(last.current)
if done and done.state == 'rk' and done.link == desk_link() then
  desk_serve(done)
  desk_note('serve', done.id, '-', before.called)
else
  done = nil
end

local type = ARGV[4]
local id, score
-- A place whose record is lost is cleared away, and the next one is tried.
repeat
  if type == '' then
    local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    id, score = first[1], first[2]
  else
    local member = redis.call('ZRANGEBYLEX', KEYS[9], '[' .. type .. ':', '(' .. type .. ';', 'LIMIT', 0, 1)[1]
    id = member and string.match(member, ':%d+:(.*)$')
    score = id and redis.call('ZSCORE', KEYS[1], id)
    if id and not score then redis.call('ZREM', KEYS[9], member) end
  end
until not id or (score and desk_admit(id, score, ARGV[3], ARGV[3] == 'r' and 'SERVE' or 'CALL'))
if not id then return { 0 } end

local person = desk_person(id)
if ARGV[3] == 'r' then desk_note_service(person.joined) end
desk_with(id, now_ms, 1)
desk_note(ARGV[3] == 'r' and 'serve_next' or 'call', id, done and done.id, done and before.called .. ' ' .. before.times)
return desk_answer(id)
