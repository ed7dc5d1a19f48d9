-- What loads.py reads of a run of wrk.
function done(summary)
   local e = summary.errors
   print(string.format("requests=%d bytes=%d microseconds=%d errors=%d", summary.requests, summary.bytes,
                       summary.duration, e.connect + e.read + e.write + e.status + e.timeout))
end
