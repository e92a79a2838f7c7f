-- ARGV: uid, mark before, mark after. Gives 1, or 0: another mark stands there.
if not isMark(ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', marks, ARGV[1], ARGV[3])
return 1
