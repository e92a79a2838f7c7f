-- ARGV: mapping.
local mapping = ARGV[1]
for _, shard in ipairs(redis.call('SMEMBERS', root .. 'shards:' .. mapping)) do
  redis.call('DEL', rowKey(mapping, shard))
end
redis.call('DEL', root .. 'shards:' .. mapping)
redis.call('SREM', root .. 'mappings', mapping)
return 1
