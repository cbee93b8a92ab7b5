-- Joins until FILL people have places, writes the token of each TOKEN_EVERY-th of them to TOKENS, one a line, and ends.
dofile(os.getenv("LOAD_DIR") .. "/join.lua")
local load = require "load"
local target = tonumber(load.env("FILL", "1000"))
local every = tonumber(load.env("TOKEN_EVERY", "1"))
local start = init
local tokens, got, bad = nil, 0, 0

function init(arguments)
  start(arguments)
  tokens = io.open(load.env("TOKENS", "tokens"), "w")
end

function response(status, headers, body)
  local token = status == 200 and string.match(body, '"token"%s*:%s*"([^"]+)"')
  if token then
    got = got + 1
    if got % every == 0 then tokens:write(token, "\n") end
  else
    bad = bad + 1
  end
  if got >= target or bad > 1000 then
    tokens:close()
    os.exit(bad > 1000 and 1 or 0)
  end
end
