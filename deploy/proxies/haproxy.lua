-- The action `lua.anteroom_gate URL` asks a waiting room's gate about a request (HAProxy 2.6 or later, built with Lua, as Debian's is).
-- Sets txn.anteroom_status to "open", "refused" or "unavailable", and from the answer txn.anteroom_location, _cookie, _visitor and _entry.

local PATIENCE_MS = 2000

core.register_action("anteroom_gate", { "http-req" }, function(txn, url)
  local asked = txn.http:req_get_headers()
  local headers = {
    ["x-original-uri"] = { txn.sf:pathq() },
    ["x-forwarded-proto"] = { txn.sf:ssl_fc() == 1 and "https" or "http" },
  }
  if asked["host"] then headers["x-forwarded-host"] = { asked["host"][0] } end
  if asked["cookie"] then
    headers["cookie"] = {}
    for index = 0, #asked["cookie"] do headers["cookie"][index + 1] = asked["cookie"][index] end
  end
  local answer = core.httpclient():get { url = url, headers = headers, timeout = PATIENCE_MS }
  local status = answer and answer.status
  txn:set_var("txn.anteroom_status", status == 204 and "open" or status == 401 and "refused" or "unavailable")
  local told = answer and answer.headers or {}
  for name, header in pairs({ location = "location", cookie = "set-cookie", visitor = "x-visitor-id", entry = "x-entry-id" }) do
    local values = told[header]
    if values and values[0] then txn:set_var("txn.anteroom_" .. name, values[0]) end
  end
end, 1)
