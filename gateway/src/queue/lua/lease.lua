-- ARGV: line, nowMs, untilMs, count, most bytes of payloads, token of this call, tokens of calls whose answer got lost…
-- Gives [id, dueMs, header, payload, accepted, progress, last, condition] of each event, which is leased by the token `CALL:ID`.
local line, now, untilMs, token = ARGV[1], ARGV[2], ARGV[3], ARGV[6]

local function giveBack(id)
  redis.call('ZREM', set('leased', line), id)
  redis.call('HDEL', eventKey(line, id), 'token')
  wait(line, id, now)
end

-- Who held them is gone, or too late.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', set('leased', line), '-inf', now, 'LIMIT', 0, 1000)) do giveBack(id) end

-- Nobody knows of these leases: the caller did not get the answer that had them.
if #ARGV > 6 then
  for _, id in ipairs(redis.call('ZRANGE', set('leased', line), 0, -1)) do
    local held = redis.call('HGET', eventKey(line, id), 'token')
    for i = 7, #ARGV do
      if held == ARGV[i] .. ':' .. id then giveBack(id) end
    end
  end
end

local leased, room = {}, tonumber(ARGV[5])
local waiting = redis.call('ZRANGEBYSCORE', set('waiting', line), '-inf', now, 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[4]))
for i = 1, #waiting, 2 do
  local id = waiting[i]
  local event = eventKey(line, id)
  room = room - redis.call('HSTRLEN', event, 'payload')
  if room < 0 and #leased > 0 then break end
  redis.call('ZREM', set('waiting', line), id)
  redis.call('ZADD', set('leased', line), untilMs, id)
  redis.call('HSET', event, 'token', token .. ':' .. id)
  local fields = read(event)
  table.insert(fields, 1, waiting[i + 1])
  table.insert(fields, 1, id)
  table.insert(leased, fields)
end
return leased
