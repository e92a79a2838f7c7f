import { groupArnOf } from './log-group.ts';
import { type LogsOperation, requireGroup } from './logs-call.ts';
import { invalidMember, invalidParameter } from './logs-error.ts';
import type { Members } from './members.ts';
import type { StreamSummary } from './query.ts';

/** The streams of a function: one for each execution environment. A token is what the last one was ordered by, and its name. */
export const describeLogStreams: LogsOperation = async (call, deps) => {
  const { members } = call;
  const keyOf = readOrder(members);
  const prefix = members.text('logStreamNamePrefix', { max: 512, pattern: /^[^:*]*$/ }) ?? '';
  const isFalling = members.flag('descending');
  const limit = members.integer('limit', 50, 1, 50);
  const token = members.text('nextToken');
  const owner = await requireGroup(call, deps);
  const all = (await deps.logs.streams(owner))
    .filter(({ name }) => name.startsWith(prefix))
    .map((stream) => ({ key: keyOf(stream), stream }))
    .sort((one, other) => (one.key < other.key === isFalling ? 1 : -1));
  const rest = token === undefined ? all : all.filter(({ key }) => (isFalling ? key < token : key > token));
  const page = rest.slice(0, limit);
  const group = groupArnOf(owner, deps.region);
  return {
    logStreams: page.map(({ stream }) => shown(stream, group)),
    ...(rest.length > limit && { nextToken: page.at(-1)?.key }),
  };
};

function readOrder(members: Members): (stream: StreamSummary) => string {
  const order = members.text('orderBy') ?? 'LogStreamName';
  if (order === 'LogStreamName') return ({ name }) => name;
  if (order !== 'LastEventTime')
    throw invalidMember('orderBy', order, 'Member must satisfy enum value set: [LogStreamName, LastEventTime]');
  if (members.text('logStreamNamePrefix') !== undefined)
    throw invalidParameter('Cannot order by LastEventTime with a logStreamNamePrefix.');
  return ({ name, lastMs }) => `${String(lastMs).padStart(16, '0')}${name}`;
}

function shown({ name, createdMs, firstMs, lastMs, takenMs, bytes }: StreamSummary, group: string): object {
  return {
    logStreamName: name,
    arn: `${group}:log-stream:${name}`,
    creationTime: createdMs,
    firstEventTimestamp: firstMs,
    lastEventTimestamp: lastMs,
    lastIngestionTime: takenMs,
    storedBytes: bytes,
  };
}
