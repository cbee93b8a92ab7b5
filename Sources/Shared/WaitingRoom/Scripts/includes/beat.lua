-- Notes in a sorted set, by ms, that a program is alive, and forgets those that have been silent for too long. What beats later than now
-- did so before the clock went back, and beats again if it lives.
local function beat(key, program, silence_ms, now_ms)
  redis.call('ZADD', key, now_ms, program)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now_ms - silence_ms)
  redis.call('ZREMRANGEBYSCORE', key, '(' .. string.format('%d', now_ms), '+inf')
end
