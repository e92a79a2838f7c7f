import { readRange, streamNameRule } from './event-range.ts';
import { type LogsOperation, requireGroup, requireStream } from './logs-call.ts';
import { invalidMember, invalidParameter } from './logs-error.ts';
import type { EventPage, EventQuery } from './query.ts';

type Bounds = Pick<EventQuery, 'after' | 'before' | 'take'>;

/** Events of one stream: the newest, or the oldest with `startFromHead`; with a token those after or before what was answered last. */
export const getLogEvents: LogsOperation = async (call, deps) => {
  const { members } = call;
  const name = members.text('logStreamName', streamNameRule);
  if (name === undefined) throw invalidMember('logStreamName', undefined, 'Member must not be null');
  const range = readRange(members);
  const token = members.text('nextToken');
  const bounds = token === undefined ? beginning(members.flag('startFromHead')) : boundsOf(token);
  members.flag('unmask'); // nothing is masked
  const owner = await requireGroup(call, deps);
  const page = await deps.logs.events({ ...owner, ...range, ...bounds, streams: [name], prefix: '', pattern: '' });
  if (page.events.length === 0) await requireStream(deps, owner, name);
  return {
    events: page.events.map(({ atMs, takenMs, message }) => ({ timestamp: atMs, message, ingestionTime: takenMs })),
    ...tokensOf(page, bounds),
  };
};

/** Before all. */
const first = '0'.repeat(56);

function beginning(isFromHead: boolean): Bounds {
  return { after: '', before: '', take: isFromHead ? 'first' : 'last' };
}

function boundsOf(token: string): Bounds {
  const [, direction, id] = /^([fb])\/(\d{56})\/s$/.exec(token) ?? [];
  if (id === undefined) throw invalidParameter('The specified nextToken is invalid.');
  return direction === 'f' ? { after: id, before: '', take: 'first' } : { after: '', before: id, take: 'last' };
}

/** A page without events answers the token that it was asked with: so tools see the end. */
function tokensOf({ events }: EventPage, { after, before }: Bounds): object {
  const from = events[0]?.id ?? (before || (after === '' ? first : after));
  const to = events.at(-1)?.id ?? (after || (before === '' ? first : before));
  return { nextForwardToken: `f/${to}/s`, nextBackwardToken: `b/${from}/s` };
}
