-- ARGV: mapping, shard, epoch, checkpoint, '1' = it is read to its end. Gives 1; 0 = the claim was lost.
local row = rowKey(ARGV[1], ARGV[2])
if not holds(row, ARGV[3]) then return 0 end
redis.call('HSET', row, 'checkpoint', ARGV[4], 'isEnd', ARGV[5])
redis.call('HINCRBY', row, 'beat', 1)
return 1
