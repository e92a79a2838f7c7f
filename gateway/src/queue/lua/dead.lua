-- ARGV: line, limit, most bytes, and where the page before ended: time or '+inf', id or ''.
-- Gives whether there are more (1, 0) and [id, diedMs, header, payload, accepted, progress, last, condition] of each, newest first.
local line, limit, room, from, after = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]

-- Whether a comes before b, byte by byte: Lua's own comparison depends on the server's locale.
local function isBefore(a, b)
  for i = 1, math.min(#a, #b) do
    local left, right = string.byte(a, i), string.byte(b, i)
    if left ~= right then return left < right end
  end
  return #a < #b
end

local page, offset = {}, 0
while true do
  local batch = redis.call('ZREVRANGEBYSCORE', set('dead', line), from, '-inf', 'WITHSCORES', 'LIMIT', offset, 100)
  if #batch == 0 then return { 0, page } end
  for i = 1, #batch, 2 do
    local id, at = batch[i], batch[i + 1]
    if after == '' or tonumber(at) ~= tonumber(from) or isBefore(id, after) then
      local event = eventKey(line, id)
      room = room - weigh(event)
      if #page == limit or (room < 0 and #page > 0) then return { 1, page } end
      local fields = read(event)
      table.insert(fields, 1, at)
      table.insert(fields, 1, id)
      table.insert(page, fields)
    end
  end
  offset = offset + 100
end
