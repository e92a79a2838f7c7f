-- ARGV: uids. Removes their marks.
return redis.call('HDEL', marks, unpack(ARGV))
