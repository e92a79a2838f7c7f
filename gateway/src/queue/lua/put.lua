-- ARGV: line, id, header, payload, acceptedMs, progress, most events of a line, most bytes. Gives 'kept', or what is full: 'line', 'store'.
local line, id = ARGV[1], ARGV[2]
local event = eventKey(line, id)
if redis.call('EXISTS', event) == 1 then return 'kept' end
local weight = OVERHEAD + #ARGV[3] + #ARGV[4]
local full = fullBecause(line, weight, ARGV[7], ARGV[8])
if full then return full end
redis.call('HSET', event, 'header', ARGV[3], 'payload', ARGV[4], 'accepted', ARGV[5], 'progress', ARGV[6])
addLive(line, weight)
enter(line, id, ARGV[5])
return 'kept'
