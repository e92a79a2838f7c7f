-- ARGV: line, id, token, 'done'. Or 'retry', dueMs; or 'dead', atMs; and then: progress, '1' or '0' = whether there is a last answer, it,
-- and of a dead one: condition, most dead events of a line, most bytes of dead ones. Gives 1; 0 = the lease was lost;
-- [line, events…] when it is settled and so many dead events of these lines had to give way.
local line, id, kind, at = ARGV[1], ARGV[2], ARGV[4], ARGV[5]
local event = eventKey(line, id)
if redis.call('HGET', event, 'token') ~= ARGV[3] then return 0 end

local before = weigh(event)
redis.call('ZREM', set('leased', line), id)
if kind == 'done' then
  redis.call('DEL', event)
  addLive(line, -before)
  leave(line, id)
  return 1
end

redis.call('HDEL', event, 'token', 'last')
redis.call('HSET', event, 'progress', ARGV[6])
if ARGV[7] == '1' then redis.call('HSET', event, 'last', ARGV[8]) end
if kind == 'retry' then
  addLive(line, weigh(event) - before)
  wait(line, id, at)
  return 1
end

addLive(line, -before)
leave(line, id)
redis.call('HSET', event, 'condition', ARGV[9])
redis.call('ZADD', set('dead', line), at, id)
addBytes('dead', weigh(event))
noteOldestDead(line)
-- The oldest make room. One event adds no more bytes than 2,000 of the smallest have.
local evicted = {}
local function evict(from)
  forgetDead(from, redis.call('ZRANGE', set('dead', from), 0, 0)[1])
  evicted[from] = (evicted[from] or 0) + 1
end
for _ = 1, 2000 do
  if redis.call('ZCARD', set('dead', line)) <= tonumber(ARGV[10]) then break end
  evict(line)
end
for _ = 1, 2000 do
  local oldest = redis.call('ZRANGE', root .. 'graves', 0, 0)[1]
  if not oldest or bytes('dead') <= tonumber(ARGV[11]) then break end
  evict(oldest)
end
if next(evicted) == nil then return 1 end
local told = {}
for from, events in pairs(evicted) do
  table.insert(told, from)
  table.insert(told, events)
end
return told
