-- ARGV: mapping, shard, epoch, and so on. Gives the places (0, 1, …) of those that are lost.
local lost = {}
for i = 1, #ARGV, 3 do
  local row = rowKey(ARGV[i], ARGV[i + 1])
  if holds(row, ARGV[i + 2]) then
    redis.call('HINCRBY', row, 'beat', 1)
  else
    table.insert(lost, (i - 1) / 3)
  end
end
return lost
