-- Polls or gate checks, each with a token or pass out of TOKENS drawn by chance. STATUS_PATH or STATUS_HEADER holds {token}.
package.path = os.getenv("LOAD_DIR") .. "/?.lua;" .. package.path
local load = require "load"
local before, after = load.split("GET " .. load.env("STATUS_PATH", "") .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n" .. load.env("STATUS_HEADER", "") .. "\r\n",
  "{token}")
local tokens = {}

function init()
  for line in io.lines(load.env("TOKENS", "tokens")) do tokens[#tokens + 1] = line end
  math.randomseed(os.time())
end

function request() return before .. tokens[math.random(#tokens)] .. after end

function done(summary, latency) load.report(summary, latency) end
