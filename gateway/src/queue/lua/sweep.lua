-- ARGV: time. Removes dead events that died before, at most 1,000; gives how many.
local removed = 0
while removed < 1000 do
  local line = redis.call('ZRANGEBYSCORE', root .. 'graves', '-inf', '(' .. ARGV[1], 'LIMIT', 0, 1)[1]
  if not line then break end
  forgetDead(line, redis.call('ZRANGE', set('dead', line), 0, 0)[1])
  removed = removed + 1
end
return removed
