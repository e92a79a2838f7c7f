-- ARGV: uids; none = the uids of all marks. Gives their marks.
if #ARGV == 0 then return redis.call('HKEYS', marks) end
return redis.call('HMGET', marks, unpack(ARGV))
