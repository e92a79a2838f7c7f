import { eventIdOf, readRange, streamNameRule } from './event-range.ts';
import { parseFilterPattern } from './filter-pattern.ts';
import { type LogsOperation, requireGroup } from './logs-call.ts';
import { invalidParameter } from './logs-error.ts';

/** Events of all streams of a function, the oldest first. A token is the id of the last event, so that it holds at any gateway. */
export const filterLogEvents: LogsOperation = async (call, deps) => {
  const { members } = call;
  const streams = members.texts('logStreamNames', 1, 100) ?? null;
  const prefix = members.text('logStreamNamePrefix', streamNameRule);
  if (streams !== null && prefix !== undefined)
    throw invalidParameter('logStreamNamePrefix and logStreamNames cannot be used together.');
  const pattern = members.text('filterPattern', { min: 0, max: 1024 }) ?? '';
  parseFilterPattern(pattern); // before others are asked
  const range = readRange(members);
  const after = eventIdOf(members.text('nextToken'));
  members.flag('interleaved'); // as AWS: always
  members.flag('unmask'); // nothing is masked
  const owner = await requireGroup(call, deps);
  const page = await deps.logs.events({
    ...owner,
    ...range,
    streams,
    prefix: prefix ?? '',
    pattern,
    after,
    before: '',
    take: 'first',
  });
  return {
    events: page.events.map(({ id, stream, atMs, takenMs, message }) => ({
      logStreamName: stream,
      timestamp: atMs,
      message,
      ingestionTime: takenMs,
      eventId: id,
    })),
    searchedLogStreams: [], // as AWS, which does not say any more
    ...(page.isCut && { nextToken: page.events.at(-1)?.id }),
  };
};
