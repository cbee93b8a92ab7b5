-- Joins, each with a visitor id of its own. JOIN_BODY holds {id}; JOIN_HEADER is one header line; RUN_TAG makes ids of runs differ.
package.path = os.getenv("LOAD_DIR") .. "/?.lua;" .. package.path
local load = require "load"
local before, after = load.split(load.env("JOIN_BODY", ""), "{id}")
local tag = load.env("RUN_TAG", "r")
local header = load.env("JOIN_HEADER", "")
local head, sent

function init()
  sent = 0
  head = "POST /join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" ..
    (header ~= "" and header .. "\r\n" or "") .. "Content-Length: " .. (#before + #tag + 9 + #after) .. "\r\n\r\n"
end

function request()
  sent = sent + 1
  return head .. before .. tag .. string.format("-%08d", sent) .. after
end

function done(summary, latency) load.report(summary, latency) end
