import type { MappingView } from '../mapping/mapping-view.ts';
import type { EventSource, OpenDeps } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';

/** A stream and its group. Holds secrets: never to be logged. */
export interface StreamPlace {
  /** redis://… or rediss://…; the path of a socket in tests. */
  readonly server: string;
  readonly stream: string;
  readonly group: string;
  readonly username: string | null;
  readonly password: string | null;
  /** Of a server with a certificate of its own. */
  readonly ca: string | null;
}

/** Streams of Redis and Valkey, read by a consumer group. The client is loaded with the first mapping. */
export const redisStreams: EventSource = {
  name: 'redis-streams',
  serves: ({ source }) => source.redis !== undefined,
  traits: {
    batchSize: 100,
    batchWindowMs: 500,
    dataKeys: ['fields'],
    onMismatch: 'metadataOnly',
    userAction: 'USER_INITIATED',
  },
  open: async (mapping, deps) => {
    const place = await placeOf(mapping, deps);
    const { RedisStream } = await import('./queue.ts');
    return RedisStream.open(place, deps);
  },
};

async function placeOf({ source, uid }: MappingView, { secret }: OpenDeps): Promise<StreamPlace> {
  if (source.redis === undefined) throw new SourceProblem('InvalidSource', 'the mapping names no stream of Redis');
  const { server, stream, consumerGroup: group = uid } = source.redis;
  const uri = source.sourceAccessConfigurations?.find(({ type }) => type === 'BASIC_AUTH')?.uri;
  if (uri === undefined) return { server, stream, group, username: null, password: null, ca: null };
  const { username = null, password, 'ca.crt': ca = null } = await secret(uri);
  if (password === undefined)
    throw new SourceProblem('CredentialsMissing', `the Secret of ${uri} has no member password`);
  return { server, stream, group, username, password, ca };
}
