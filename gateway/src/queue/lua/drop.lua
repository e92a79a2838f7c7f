-- ARGV: line, id. Gives 1; 0 = it is neither dead nor waiting.
local line, id = ARGV[1], ARGV[2]
if redis.call('ZSCORE', set('dead', line), id) then
  forgetDead(line, id)
  return 1
end
if redis.call('ZREM', set('waiting', line), id) == 0 then return 0 end
local event = eventKey(line, id)
addLive(line, -weigh(event))
redis.call('DEL', event)
leave(line, id)
return 1
