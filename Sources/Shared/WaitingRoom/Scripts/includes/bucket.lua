-- The token bucket of a queue, a hash: `tokens` at `at_us`; `idle` is 1 when nobody waited then, and so no more than one token is left of
-- the time since: credit is not banked. `lent` tokens are lent to the gateways until `lent_until` (`lease-4.lua`), and the bucket holds as
-- many fewer for so long. Tokens grow by rate / 60 a second up to max(1, rate / 60), one second's worth. A clock that went back adds
-- nothing.
local function bucket_capacity(rate) return math.max(1, rate / 60) end

-- `first` is what one holds that nobody has read before; 1 when it is left out.
local function bucket_read(key, rate, now_us, first)
  local fields = redis.call('HMGET', key, 'tokens', 'at_us', 'idle', 'lent', 'lent_until')
  local bucket = { lent = tonumber(fields[4] or '0'), lent_until = tonumber(fields[5] or '0') }
  local size = fields[3] == '1' and 1 or bucket_capacity(rate)
  local tokens, at = tonumber(fields[1] or first or '1'), tonumber(fields[2] or now_us)
  local function grow(until_us, most)
    tokens = math.min(most, tokens + math.max(0, until_us - at) * rate / 60000000)
    at = math.max(at, until_us)
  end
  if bucket.lent_until > at then grow(math.min(now_us, bucket.lent_until), math.max(0, size - bucket.lent)) end
  if bucket.lent_until <= now_us then
    grow(now_us, size)
    bucket.lent, bucket.lent_until = 0, 0
  end
  bucket.tokens, bucket.idle = tokens, fields[3] == '1'
  return bucket
end

local function bucket_write(key, bucket, now_us)
  redis.call('HSET', key, 'tokens', string.format('%.17g', bucket.tokens), 'at_us', string.format('%d', now_us), 'idle',
    bucket.idle and '1' or '0', 'lent', bucket.lent, 'lent_until', string.format('%d', bucket.lent_until))
end
