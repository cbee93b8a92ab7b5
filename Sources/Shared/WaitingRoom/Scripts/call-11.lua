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
until not id or (score and desk_admit({ id, score }, ARGV[3], ARGV[3] == 'r' and 'SERVE' or 'CALL') == 1)
if not id then return { 0 } end

local person = desk_person(id)
if ARGV[3] == 'r' then desk_note_service(person.joined) end
desk_with(id, now_ms, 1)
desk_note(ARGV[3] == 'r' and 'serve_next' or 'call', id, done and done.id, done and before.called .. ' ' .. before.times)
-- Names of desks are typed by people: the one that called longest ago gives way.
if redis.call('HLEN', KEYS[8]) > 200 then
  local desks = redis.call('HGETALL', KEYS[8])
  local oldest, since = nil, now_ms + 1
  for i = 1, #desks, 2 do
    local called = tonumber(string.match(desks[i + 1], '^%S+ (%d+)') or '0')
    if called < since then oldest, since = desks[i], called end
  end
  redis.call('HDEL', KEYS[8], oldest)
end
return desk_answer(id)
