-- For wrk: the requests of a file in turn, and what came of them in one line of JSON.
--
--   wrk .. -s load.lua URL -- METHOD KIND FILE
--
-- Each line of FILE is a path, a bearer and a body, with a tab between two of them.

local requests = {}
local turn = 0

function init(args)
  local method, kind, file = args[1], args[2], args[3]
  for line in io.lines(file) do
    local path, bearer, body = line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)$")
    local headers = { ["Host"] = wrk.headers["Host"], ["Authorization"] = bearer }
    if body == "" then
      body = nil
    else
      headers["Content-Type"] = kind
    end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50_ms": %.4f, "p99_ms": %.4f}\n',
    summary.requests, summary.duration / 1e6, errors.status, broken,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
