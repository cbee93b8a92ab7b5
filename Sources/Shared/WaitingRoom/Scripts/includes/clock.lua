-- now_us: Redis's clock in microseconds. Read once per script: TIME moves while a script runs.
local clock = redis.call('TIME')
local now_s = tonumber(clock[1])
local now_us = now_s * 1000000 + tonumber(clock[2])
local now_ms = math.floor(now_us / 1000)
local today = math.floor(now_s / 86400)
