-- ARGV: line, id, nowMs, progress, most events of a line, most bytes. Gives 'kept', 'gone', or what is full: 'line', 'store'.
local line, id, now = ARGV[1], ARGV[2], ARGV[3]
local event = eventKey(line, id)
if not redis.call('ZSCORE', set('dead', line), id) then return 'gone' end
local before = weigh(event)
local full = fullBecause(line, before, ARGV[5], ARGV[6])
if full then return full end
redis.call('ZREM', set('dead', line), id)
noteOldestDead(line)
redis.call('HDEL', event, 'last', 'condition')
redis.call('HSET', event, 'accepted', now, 'progress', ARGV[4])
addBytes('dead', -before)
addLive(line, weigh(event))
enter(line, id, now)
return 'kept'
