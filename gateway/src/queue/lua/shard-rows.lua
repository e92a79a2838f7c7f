-- ARGV: mappings. Gives [mapping, shard, epoch, owner, beat, isEnd] of each shard.
local rows = {}
for _, mapping in ipairs(ARGV) do
  for _, shard in ipairs(redis.call('SMEMBERS', root .. 'shards:' .. mapping)) do
    local is = redis.call('HMGET', rowKey(mapping, shard), 'epoch', 'owner', 'beat', 'isEnd')
    table.insert(rows, { mapping, shard, is[1], is[2], is[3], is[4] })
  end
end
return rows
