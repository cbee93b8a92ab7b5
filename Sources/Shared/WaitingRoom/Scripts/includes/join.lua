-- @include clock
-- @include loss
-- @include opening
-- @include place
-- @include record
-- Takes a place at the end of a queue, or finds the place that the caller already has.
--
-- 1. A queue that is gone or not active takes nobody.
-- 2. An entry named by the caller's own ticket that still waits, or was transferred to another queue, is the answer. One that has no record
--    may have been lost (`restore-12.lua`): the caller sees to that first.
-- 3. The candidate id is derived from what proves who is asking (idempotency key, or a secret visitor id), or random. Where it waits, it
--    is the answer. Where it has finished, its successor is; where that has finished too, the fresh id becomes the successor. While
--    SECRET_KEY is changed the same proof gives another candidate under each key, and the one that is known counts.
-- 4. A closed queue has places for nobody else.
-- 5. Otherwise a new sequence number is taken and the entry stored in the same step. A number that the caller knows to have been given
--    already tells of a loss (`loss.lua`): then it is one well beyond. Before the opening of a queue that draws lots it is what the entry's
--    lot says (`opening.lua`).
--
-- KEYS[1] settings   hash    KEYS[2] waiting  sorted set    KEYS[3] entries  hash
-- KEYS[4] counters   hash    KEYS[5] days     hash          KEYS[6] visitors stream
-- ARGV[1] candidate id       ARGV[2] fresh id, used when the candidate has finished
-- ARGV[3] visitor            ARGV[4] entry id of the caller's ticket, or ''
-- ARGV[5] highest sequence number that the caller knows    ARGV[6] candidate id under the other secret key, or ''
-- ARGV[7] lot of the candidate, ARGV[8] of the fresh id, or '' where the caller knows of no opening    ARGV[9] the opening that they are for
-- Returns {code} or {code, entry id, sequence, joined ms, position, length, epoch, visitor, now ms, highest sequence number given}
--   code -1 no such queue or not active, -2 closed, -3 the ticket's entry is not known, -4 lots of the present opening are needed,
--   0 existing entry (position 0: transferred), 1 new entry
-- `refusal` is the code for somebody who is to have no new place, or nil.
local function join(refusal)
  local settings = redis.call('HMGET', KEYS[1], 'active', 'epoch', 'state', 'opens_at', 'closes_at', 'pre_queue_order', 'opening')
  if settings[1] ~= '1' then return { -1 } end
  local closed, draws = is_closed(settings[3], settings[5], now_ms), is_drawing(settings[4], settings[6], now_ms)

  local function existing(id)
    local score, position = redis.call('ZSCORE', KEYS[2], id), 0
    local sequence, joined, visitor, detail, _
    if score then
      sequence, position = place_sequence(tonumber(score)), redis.call('ZRANK', KEYS[2], id) + 1
      joined, visitor = record_waiting(KEYS[6], KEYS[3], id, sequence)
    else
      _, sequence, joined, _, _, visitor, detail = record_read_finished(redis.call('HGET', KEYS[3], id) or '')
      if detail ~= 't' then return nil end
    end
    if not joined then return nil end
    return { 0, id, sequence, joined, position, redis.call('ZCARD', KEYS[2]), tonumber(settings[2]), visitor, now_ms, sequence }
  end

  local found = ARGV[4] ~= '' and existing(ARGV[4])
  if found then return found end
  if ARGV[4] ~= '' and redis.call('HEXISTS', KEYS[3], ARGV[4]) == 0 then return { -3 } end

  local id = ARGV[1]
  found = existing(id)
  if found then return found end
  local record = redis.call('HGET', KEYS[3], id)
  if not record and ARGV[6] ~= '' then
    found = existing(ARGV[6])
    if found then return found end
    record = redis.call('HGET', KEYS[3], ARGV[6])
    if record then id = ARGV[6] end
  end
  if record then
    local state, sequence, joined, finished, successor, visitor, detail = record_read_finished(record)
    found = state and successor ~= '-' and existing(successor)
    if found then return found end
    if closed or refusal then return { closed and -2 or refusal } end
    if state then
      redis.call('HSET', KEYS[3], id, record_finished(state .. detail, sequence, joined, finished, ARGV[2], visitor))
    end
    id = ARGV[2]
  end

  if closed or refusal then return { closed and -2 or refusal } end
  local sequence, highest
  if draws then
    if ARGV[7] == '' or ARGV[9] ~= (settings[7] or '1') then return { -4 } end
    check_sequence(KEYS[4], tonumber(ARGV[5]), now_ms)
    sequence, highest = draw_place(KEYS[2], KEYS[4], ARGV[9], tonumber(id == ARGV[1] and ARGV[7] or ARGV[8]))
    record_return(KEYS[3], id, now_ms, ARGV[3])
  else
    sequence = redis.call('HINCRBY', KEYS[4], 'sequence', 1)
    if sequence <= tonumber(ARGV[5]) then
      redis.call('HINCRBY', KEYS[4], 'sequence', -1)
      note_loss(KEYS[4], tonumber(ARGV[5]), now_ms)
      sequence = redis.call('HINCRBY', KEYS[4], 'sequence', 1)
    end
    highest = sequence
    record_join(KEYS[6], sequence, now_ms, ARGV[3])
  end
  redis.call('HINCRBY', KEYS[5], 'joined:' .. today, 1)
  redis.call('ZADD', KEYS[2], place(sequence, now_s), id)
  local length = redis.call('ZCARD', KEYS[2])
  return { 1, id, sequence, now_ms, length, length, tonumber(settings[2]), ARGV[3], now_ms, highest }
end
