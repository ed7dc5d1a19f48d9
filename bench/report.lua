-- What bulk.py reads of a run of wrk.
function done(summary)
   local e = summary.errors
   local errors = e.connect + e.read + e.write + e.status + e.timeout
   print(string.format("bytes=%d microseconds=%d errors=%d", summary.bytes, summary.duration, errors))
end
