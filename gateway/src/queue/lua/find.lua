-- ARGV: line, id. Gives [state, at, header, payload, accepted, progress, last, condition], or nothing.
local line, id = ARGV[1], ARGV[2]
for _, state in ipairs({ 'waiting', 'leased', 'dead' }) do
  local at = redis.call('ZSCORE', set(state, line), id)
  if at then
    local fields = read(eventKey(line, id))
    table.insert(fields, 1, at)
    table.insert(fields, 1, state)
    return fields
  end
end
return nil
