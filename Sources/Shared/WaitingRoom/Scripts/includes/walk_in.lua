-- People who joined by name. What an entry keeps as its visitor is then "\31<name>", or "\31<name>\31<type id>\31<code>\31<type name>" for
-- those who asked for a service type. No visitor id of a website may hold a \31.
--
-- `typed` is a sorted set of who waits for which service type, all with score 0: "<type id>:<sequence, 11 digits>:<entry id>".
local function walk_in_type(visitor)
  return string.match(visitor, '^\31[^\31]*\31([^\31]+)')
end

local function walk_in_member(type, sequence, id)
  return string.format('%s:%011d:%s', type, sequence, id)
end

-- One who waits (again) for a service type is found by it.
local function walk_in_waits(typed_key, id, sequence, visitor)
  local type = walk_in_type(visitor)
  if type then redis.call('ZADD', typed_key, 0, walk_in_member(type, sequence, id)) end
end

-- Writes down what happened to a person in the stream `events`, which keeps about the latest 50,000.
-- Fields: t(ype of event), u(ser), n(ame), c(ode of the service type), d(esk), m(ore)
local function event(events_key, kind, id, sequence, visitor, desk, more)
  local name, code = string.match(visitor, '^\31([^\31]*)\31?[^\31]*\31?([^\31]*)')
  redis.call('XADD', events_key, 'MAXLEN', '~', 50000, '*', 't', kind, 'u', id, 'n', name or 'Guest ' .. sequence,
    'c', code or '', 'd', desk or '', 'm', more or '')
end

-- One who joined by name does not wait any more. A website's visitors are in no index, and what happens to them is an event only when a
-- desk does it.
local function walk_in_left(how, id, sequence, visitor)
  local named = string.byte(visitor) == 31
  local type = named and walk_in_type(visitor)
  if type then redis.call('ZREM', how.typed, walk_in_member(type, sequence, id)) end
  if named or how.desk then event(how.events, how.event, id, sequence, visitor, how.desk, how.more) end
end
