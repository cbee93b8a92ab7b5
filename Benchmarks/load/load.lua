-- Shared by the wrk scripts here. What to send is told by the environment.
local M = {}

function M.env(name, default)
  local value = os.getenv(name)
  if value == nil or value == "" then return default end
  return value
end

-- "a{id}b" -> "a", "b"
function M.split(text, mark)
  local from, to = string.find(text, mark, 1, true)
  return string.sub(text, 1, from - 1), string.sub(text, to + 1)
end

-- One line that Benchmarks/run reads.
function M.report(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %d %.3f %.3f %.3f %d %d\n", summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

return M
