-- @include clock
-- @include place
-- @include record
-- Takes a place at the end of a queue, or finds the place that the caller already has.
--
-- 1. A queue that is gone or not active takes nobody.
-- 2. An entry named by the caller's own ticket that still waits, or was transferred to another queue, is the answer.
-- 3. The candidate id is derived from what proves who is asking (idempotency key, or a secret visitor id), or random. Where it waits, it
--    is the answer. Where it has finished, its successor is; where that has finished too, the fresh id becomes the successor.
-- 4. A closed queue has places for nobody else.
-- 5. Otherwise a new sequence number is taken and the entry stored in the same step.
--
-- KEYS[1] settings   hash    KEYS[2] waiting  sorted set    KEYS[3] entries  hash
-- KEYS[4] counters   hash    KEYS[5] days     hash
-- ARGV[1] candidate id       ARGV[2] fresh id, used when the candidate has finished
-- ARGV[3] visitor            ARGV[4] entry id of the caller's ticket, or ''
-- Returns {code} or {code, entry id, sequence, joined ms, position, length, epoch, visitor, now ms}
--   code -1 no such queue or not active, -2 closed, 0 existing entry (position 0: transferred), 1 new entry
local function join()
  local settings = redis.call('HMGET', KEYS[1], 'active', 'epoch', 'state')
  if settings[1] ~= '1' then return { -1 } end

  local function existing(id)
    local record = redis.call('HGET', KEYS[3], id)
    if not record then return nil end
    local score, position = redis.call('ZSCORE', KEYS[2], id), 0
    local sequence, joined, visitor, state, detail, _
    if score then
      joined, visitor = record_read_waiting(record)
      sequence, position = place_sequence(tonumber(score)), redis.call('ZRANK', KEYS[2], id) + 1
    else
      state, sequence, joined, _, _, visitor, detail = record_read_finished(record)
      if detail ~= 't' then return nil end
    end
    if not joined then return nil end
    return { 0, id, sequence, joined, position, redis.call('ZCARD', KEYS[2]), tonumber(settings[2]), visitor, now_ms }
  end

  local found = ARGV[4] ~= '' and existing(ARGV[4])
  if found then return found end

  local id = ARGV[1]
  local record = redis.call('HGET', KEYS[3], id)
  if record then
    found = existing(id)
    if found then return found end
    local state, sequence, joined, finished, successor, visitor, detail = record_read_finished(record)
    found = state and successor ~= '-' and existing(successor)
    if found then return found end
    if settings[3] == 'closed' then return { -2 } end
    id = ARGV[2]
    if state then
      redis.call('HSET', KEYS[3], ARGV[1], record_finished(state .. detail, sequence, joined, finished, id, visitor))
    end
  end

  if settings[3] == 'closed' then return { -2 } end
  local sequence = redis.call('HINCRBY', KEYS[4], 'sequence', 1)
  redis.call('HSET', KEYS[3], id, record_waiting(now_ms, ARGV[3]))
  redis.call('HINCRBY', KEYS[5], 'joined:' .. today, 1)
  redis.call('ZADD', KEYS[2], place(sequence, now_s), id)
  local length = redis.call('ZCARD', KEYS[2])
  return { 1, id, sequence, now_ms, length, length, tonumber(settings[2]), ARGV[3], now_ms }
end
