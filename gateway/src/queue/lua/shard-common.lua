-- What scripts of shards share, after common.lua. A row is a hash: epoch, owner ('' = free), beat, checkpoint, isEnd.
local function rowKey(mapping, shard)
  return root .. 'shard:' .. mapping .. ':' .. shard
end

local function holds(row, epoch)
  local is = redis.call('HMGET', row, 'epoch', 'owner')
  return is[1] == epoch and is[2] ~= ''
end
