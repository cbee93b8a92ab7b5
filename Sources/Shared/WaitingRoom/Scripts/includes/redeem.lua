-- What a join had to prove: the set at `key` has the entries that a proof was good for, at most `uses` of them. An entry may be known by another
-- id while SECRET_KEY is changed.
-- Returns nil when it is good for this one, 'again' when it was already, 'used' when it is for others.
local function redeemed(key, uses, id, other)
  if redis.call('SISMEMBER', key, id) == 1 or (other ~= '' and redis.call('SISMEMBER', key, other) == 1) then return 'again' end
  return redis.call('SCARD', key) >= uses and 'used' or nil
end

-- Takes note of it, until the proof's time is over.
local function redeem(key, id, expires_ms)
  redis.call('SADD', key, id)
  redis.call('PEXPIREAT', key, expires_ms)
end
