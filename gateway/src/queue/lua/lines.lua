-- ARGV: nowMs, lines… Gives [waiting, leased, next or '', oldest] of each that has events. A lease that ran out counts as waiting.
local now, states = ARGV[1], {}
for i = 2, #ARGV do
  local line = ARGV[i]
  local oldest = redis.call('ZRANGE', set('age', line), 0, 0, 'WITHSCORES')[2]
  if oldest then
    local due = redis.call('ZRANGE', set('waiting', line), 0, 0, 'WITHSCORES')[2]
    local ends = redis.call('ZRANGE', set('leased', line), 0, 0, 'WITHSCORES')[2]
    local first = due or ends
    if due and ends and tonumber(ends) < tonumber(due) then first = ends end
    local leased = redis.call('ZCOUNT', set('leased', line), '(' .. now, '+inf')
    table.insert(states, { line, redis.call('ZCARD', set('age', line)) - leased, leased, first, oldest })
  end
end
return states
