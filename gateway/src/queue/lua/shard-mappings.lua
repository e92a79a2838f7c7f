-- Gives the uids of all mappings that have rows.
return redis.call('SMEMBERS', root .. 'mappings')
