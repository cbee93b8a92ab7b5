-- Writes down who has taken the latest sequence number (`record.lua`).
local function record_join(visitors_key, sequence, joined_ms, visitor)
  redis.call('XADD', visitors_key, string.format('%d-%d', sequence, joined_ms), 'v', visitor)
end
