-- ARGV: uid, mark before, mark after, then as put. Gives 'kept', what is full ('line', 'store'), or 'moved': another mark stands there.
if not isMark(ARGV[1], ARGV[2]) then return 'moved' end
local outcome = put(unpack(ARGV, 4))
if outcome == 'kept' then redis.call('HSET', marks, ARGV[1], ARGV[3]) end
return outcome
