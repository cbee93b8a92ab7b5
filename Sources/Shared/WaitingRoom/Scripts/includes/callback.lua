-- What became of the callback that a release owed, of the keys `outbox` (sorted set by the ms when the next attempt is due), `callbacks`
-- (hash of "<attempts> <last status, 0 for none> <error>" of those that failed), `dead` (sorted set by the ms when), `dead_letters` (hash
-- of JSON) and `deliveries` (hash of "<ms when> <attempts> <status>").
-- Returns 'pending', 'dead', 'delivered' or 'none', attempts made, last status (0 for none), what went wrong last, and the ms when the
-- next attempt is due, or when it was given up or delivered.
local function callback(keys, id)
  local due = redis.call('ZSCORE', keys.outbox, id)
  if due then
    local attempts, status, problem = string.match(redis.call('HGET', keys.callbacks, id) or '', '^(%d+) (%d+) (.*)$')
    return 'pending', tonumber(attempts or 0), tonumber(status or 0), problem or '', tonumber(due)
  end
  local died = redis.call('ZSCORE', keys.dead, id)
  if died then
    local letter = cjson.decode(redis.call('HGET', keys.dead_letters, id) or '{}')
    local status = tonumber(letter.status) or 0
    return 'dead', tonumber(letter.attempts) or 0, status, letter.error or '', tonumber(died)
  end
  local at, attempts, status = string.match(redis.call('HGET', keys.deliveries, id) or '', '^(%d+) (%d+) (%d+)$')
  if at then return 'delivered', tonumber(attempts), tonumber(status), '', tonumber(at) end
  return 'none', 0, 0, '', 0
end
