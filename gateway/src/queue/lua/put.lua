-- ARGV: line, id, header, payload, acceptedMs, progress, most events of a line, most bytes. Gives 'kept', or what is full: 'line', 'store'.
return put(unpack(ARGV))
