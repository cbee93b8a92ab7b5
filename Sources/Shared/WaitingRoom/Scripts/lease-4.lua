#!lua flags=allow-oom
--[[
Lends the first in line to the gateways, for the case that Redis goes away: for as long as the lease lives each of them may tell those
people that they are let in. All gateways are lent the same people, so that together they let in no more than those, in the line's order.

What is lent is taken from the bucket's size while it is out: half of a second's worth, so that rate and burst hold whether it is spent or
not. A queue slower than two a second has nothing to lend; neither has one with a capacity, since who is inside cannot be told meanwhile, or
one that has not opened.

KEYS[1] settings hash    KEYS[2] waiting sorted set    KEYS[3] bucket hash    KEYS[4] counters hash
ARGV[1] life of the lease, ms    ARGV[2] how long releases wait after a loss, ms
Returns {now ms, id, …}
]]
-- @include clock
-- @include bucket
local settings = redis.call('HMGET', KEYS[1], 'active', 'rate', 'state', 'on_outage', 'max_active', 'opens_at')
local rate = tonumber(settings[2] or '0')
local lost_at = tonumber(redis.call('HGET', KEYS[4], 'lost_at') or '0')
if settings[1] ~= '1' or settings[3] == 'paused' or settings[4] ~= 'lease' or now_ms - lost_at < tonumber(ARGV[2]) or
  (settings[5] or '0') ~= '0' or (tonumber(settings[6] or '') or 0) > now_ms then return { now_ms } end
local lent = math.floor(bucket_capacity(rate) / 2)
if lent < 1 then return { now_ms } end
local bucket = bucket_read(KEYS[3], rate, now_us)
bucket.lent, bucket.lent_until = lent, now_us + tonumber(ARGV[1]) * 1000
bucket.tokens = math.min(bucket.tokens, bucket_capacity(rate) - lent)
bucket_write(KEYS[3], bucket, now_us)
return { now_ms, unpack(redis.call('ZRANGE', KEYS[2], 0, lent - 1)) }
