-- ARGV: mapping, shard, owner, epoch and beat as they were seen ('' = there was no row). Gives [epoch, checkpoint]; nothing = it is another's.
local mapping, shard, owner = ARGV[1], ARGV[2], ARGV[3]
local row = rowKey(mapping, shard)
local is = redis.call('HMGET', row, 'epoch', 'beat', 'owner')
local isFree = not is[1] or is[3] == '' or is[3] == owner
if not isFree and (is[1] ~= ARGV[4] or is[2] ~= ARGV[5]) then return false end
local epoch = tonumber(is[1] or '0') + 1
redis.call('HSET', row, 'epoch', epoch, 'owner', owner, 'beat', 0)
redis.call('SADD', root .. 'mappings', mapping)
redis.call('SADD', root .. 'shards:' .. mapping, shard)
return { epoch, redis.call('HGET', row, 'checkpoint') }
