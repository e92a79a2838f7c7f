-- ARGV: line, id, token, untilMs. Gives 1; 0 = the lease was lost.
local line, id = ARGV[1], ARGV[2]
if redis.call('HGET', eventKey(line, id), 'token') ~= ARGV[3] then return 0 end
redis.call('ZADD', set('leased', line), ARGV[4], id)
return 1
