-- What all scripts share; it stands above each of them. KEYS[1] is the index of lines, '{kappa}:lines': the other keys begin like it, and
-- its tag in braces keeps all of them in one slot. Every script is one transition of one event: it happens as a whole or not at all.
-- OVERHEAD is what an event takes beside its header, payload and last answer, LINE_SHARE the part of all bytes that one line may have
-- (queue-limits.ts).
local root = string.sub(KEYS[1], 1, -6)

-- 'waiting': ids by due time; 'leased': by the end of the lease; 'dead': by time of death; 'age': all that are not dead by time of acceptance.
local function set(kind, line)
  return root .. kind .. ':' .. line
end

local function eventKey(line, id)
  return root .. 'event:' .. line .. ':' .. id
end

local function weigh(event)
  return OVERHEAD + redis.call('HSTRLEN', event, 'header') + redis.call('HSTRLEN', event, 'payload') + redis.call('HSTRLEN', event, 'last')
end

-- Bytes of one kind: 'live', 'dead', or those of a line's live events.
local function bytes(kind)
  return tonumber(redis.call('HGET', root .. 'bytes', kind) or '0')
end

local function addBytes(kind, difference)
  if difference ~= 0 then redis.call('HINCRBY', root .. 'bytes', kind, difference) end
end

local function liveOf(line)
  return 'live:' .. line
end

local function addLive(line, difference)
  addBytes('live', difference)
  addBytes(liveOf(line), difference)
end

local function read(event)
  return redis.call('HMGET', event, 'header', 'payload', 'accepted', 'progress', 'last', 'condition')
end

local function wait(line, id, due)
  redis.call('ZADD', set('waiting', line), due, id)
end

-- Into a line, due at once. A gateway is told when nothing else was due before: then nobody may be looking.
local function enter(line, id, accepted)
  local first = redis.call('ZRANGE', set('waiting', line), 0, 0, 'WITHSCORES')
  wait(line, id, accepted)
  redis.call('ZADD', set('age', line), accepted, id)
  redis.call('SADD', KEYS[1], line)
  if #first == 0 or tonumber(first[2]) > tonumber(accepted) then redis.call('PUBLISH', root .. 'due', line) end
end

-- Out of a line; a line without events is no line any more.
local function leave(line, id)
  redis.call('ZREM', set('age', line), id)
  if redis.call('ZCARD', set('age', line)) > 0 then return end
  redis.call('SREM', KEYS[1], line)
  redis.call('HDEL', root .. 'bytes', liveOf(line))
end

-- The index of lines with dead events, by the time of the oldest.
local function noteOldestDead(line)
  local oldest = redis.call('ZRANGE', set('dead', line), 0, 0, 'WITHSCORES')
  if #oldest == 0 then
    redis.call('ZREM', root .. 'graves', line)
  else
    redis.call('ZADD', root .. 'graves', oldest[2], line)
  end
end

local function forgetDead(line, id)
  local event = eventKey(line, id)
  redis.call('ZREM', set('dead', line), id)
  addBytes('dead', -weigh(event))
  redis.call('DEL', event)
  noteOldestDead(line)
end

-- Why there is no room for so many more bytes and one more event in the line, or nil. No line takes more than LINE_SHARE of all bytes, but
-- for its first event.
local function fullBecause(line, weight, maxEvents, maxBytes)
  local events = redis.call('ZCARD', set('age', line))
  if events >= tonumber(maxEvents) then return 'line' end
  if events > 0 and bytes(liveOf(line)) + weight > tonumber(maxBytes) * LINE_SHARE then return 'line' end
  if bytes('live') + weight > tonumber(maxBytes) then return 'store' end
  return nil
end

-- Accepts an event unless it is here. Gives 'kept', or what is full: 'line', 'store'.
local function put(line, id, header, payload, accepted, progress, maxEvents, maxBytes)
  local event = eventKey(line, id)
  if redis.call('EXISTS', event) == 1 then return 'kept' end
  local weight = OVERHEAD + #header + #payload
  local full = fullBecause(line, weight, maxEvents, maxBytes)
  if full then return full end
  redis.call('HSET', event, 'header', header, 'payload', payload, 'accepted', accepted, 'progress', progress)
  addLive(line, weight)
  enter(line, id, accepted)
  return 'kept'
end

-- How far schedules have come, by the uid of their mapping: a text; '' = there is none.
local marks = root .. 'marks'

local function isMark(id, text)
  return (redis.call('HGET', marks, id) or '') == text
end
