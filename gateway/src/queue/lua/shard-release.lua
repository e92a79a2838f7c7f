-- ARGV: mapping, shard, epoch. Gives 1; 0 = the claim was lost.
local row = rowKey(ARGV[1], ARGV[2])
if not holds(row, ARGV[3]) then return 0 end
redis.call('HSET', row, 'owner', '')
return 1
