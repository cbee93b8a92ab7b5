-- What a join had to prove: the set at `key` has the entries that a proof was good for, at most `uses` of them. An entry may be known by
-- another id while SECRET_KEY is changed.
-- Returns whether there is no place to be had for it any more: this one has had theirs, or others have had all.
local function redeemed(key, uses, id, other)
  return redis.call('SISMEMBER', key, id) == 1 or (other ~= '' and redis.call('SISMEMBER', key, other) == 1)
    or redis.call('SCARD', key) >= uses
end

-- How long beyond its time a proof stays known, ms: whether that is over gateways tell by their own clocks.
local CLOCKS_DIFFER = 3600000

-- Takes note of it, until no gateway takes the proof any more.
local function redeem(key, id, expires_ms)
  redis.call('SADD', key, id)
  redis.call('PEXPIREAT', key, string.format('%d', math.max(tonumber(expires_ms), now_ms) + CLOCKS_DIFFER))
end
