-- What loads.py asks wrk to send, and reads of a run. Words behind `--`: `distinct`, no two requests have the same head;
-- `close`, each has a connection of its own.
local threads, asked = 0, 0

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

function init(words)
   local wanted = {}
   for _, word in ipairs(words) do wanted[word] = true end
   if wanted.close then wrk.headers["Connection"] = "close" end
   if not wanted.distinct then return end
   function request()
      asked = asked + 1
      return wrk.format(nil, string.format("%s?%d-%d", wrk.path, number, asked))
   end
end

function done(summary)
   local e = summary.errors
   print(string.format("requests=%d bytes=%d microseconds=%d errors=%d", summary.requests, summary.bytes,
                       summary.duration, e.connect + e.read + e.write + e.status + e.timeout))
end
