import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultAccountId } from '@kappa/crds/accounts';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { EventSourceMappingObject } from '@kappa/crds/event-source-mapping';
import { toLambdaName } from '@kappa/crds/names';
import type { Registry as MetricRegistry } from 'prom-client';

import { type NeighbourOptions, neighbourConfig } from '../async/destinations/neighbours.ts';
import { s3Sender } from '../async/destinations/s3.ts';
import { snsSender } from '../async/destinations/sns.ts';
import { sqsSender } from '../async/destinations/sqs.ts';
import { addressGuard } from '../event-sources/address-guard.ts';
import type { CheckpointStore } from '../event-sources/checkpoints/checkpoint-store.ts';
import { guardRules } from '../event-sources/guard-rules.ts';
import { packFlowQuestion, packFlows, readFlowQuestion, readFlows } from '../event-sources/mapping/ask-flows.ts';
import { type ControllerDeps, MappingController } from '../event-sources/mapping/mapping-controller.ts';
import type { MappingView } from '../event-sources/mapping/mapping-view.ts';
import { Mappings, type MappingsDeps, type SeenMapping } from '../event-sources/mapping/mappings.ts';
import { planFunction } from '../event-sources/mapping/plan-function.ts';
import { StatusWriter } from '../event-sources/mapping/status-writer.ts';
import { viewMapping } from '../event-sources/mapping/view-mapping.ts';
import { ShardOwner } from '../event-sources/owner/shard-owner.ts';
import { batchInvoker, mayRun } from '../event-sources/poll/invoke-batch.ts';
import type { PollerClock, PollerObserver } from '../event-sources/poll/poller.ts';
import { Rooms } from '../event-sources/poll/rooms.ts';
import { failureTeller } from '../event-sources/poll/tell-failure.ts';
import type { OpenDeps } from '../event-sources/source.ts';
import { SourceProblem } from '../event-sources/source-problem.ts';
import { sourceOf } from '../event-sources/sources.ts';
import { type EventSourceMetrics, eventSourceMetrics } from '../metrics/event-sources.ts';
import { viewPush } from '../push/push-mapping.ts';
import { openCheckpoints } from '../queue/open-checkpoints.ts';
import { sourceReader } from '../registry/source-reader.ts';
import { type Context, textOf } from './context.ts';
import type { Membership } from './join-ring.ts';
import { sweepRows } from './sweep-rows.ts';
import type { WatchedFunctions } from './watch-functions.ts';

/** Statuses are looked at so often. */
const STATUS_MS = 1_000;

/** Event source mappings that are polled. */
export interface EventSources {
  /** Begins no more batches, and gives all shards to others. */
  readonly stop: () => void;
  /** Resolves when nothing is held. */
  readonly whenIdle: () => Promise<void>;
  /** Lets go of the store. */
  readonly end: () => void;
  /** What another gateway asks about mappings; null = it asks about something else. */
  readonly answer: (question: Buffer) => Buffer | null;
}

/** What {@link openEventSources} connects. */
export interface EventSourceParts {
  readonly kubernetes: Pick<Kubernetes, 'watch' | 'get' | 'applyStatus' | 'event'>;
  readonly watched: Pick<WatchedFunctions, 'functions' | 'missing' | 'hearsOfFunctions' | 'endpointsOf'>;
  readonly membership: Pick<Membership, 'router' | 'ownership' | 'askOthers'>;
  /** Asynchronous invocations that run now. */
  readonly asyncRunning: () => number;
  readonly metricRegistry: MetricRegistry;
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Polls the event sources of all mappings whose shards are this gateway's, and tells how they fare. Runs until the life's signal aborts. */
export function openEventSources(context: Context, parts: EventSourceParts): EventSources {
  const { config, life, teller } = context;
  const hasStore = config.redis !== null || config.peerService === ''; // a file cannot be shared by several gateways
  const onProblem = teller('event sources', 'the store of checkpoints is in trouble: event sources are not read');
  const store = hasStore ? openCheckpoints({ ...config, onProblem }) : null;
  const rooms = roomsOf(context, parts);
  const metrics = eventSourceMetrics(parts.metricRegistry, () => rooms.heldBytes);
  const owner = store === null ? nobody : makeOwner(context, parts, { store, metrics });
  const mappings = makeMappings(context, parts, { owner, hasStore, rooms, metrics });
  const informer = parts.kubernetes.watch(eventSourceMappings, {
    project: viewSeen,
    onChange: (key, seen) => mappings.set(key, seen),
    snapshot: { name: 'eventsourcemappings', shape: 1 },
    signal: life.signal,
  });
  owner.start();
  const onUnwritten = teller('mapping statuses', 'the statuses of event source mappings could not be written');
  void writeStatuses(mappings, onUnwritten, life.signal);
  if (store !== null) void sweepRows(context, { store, informer, membership: parts.membership, clock });
  return {
    stop: () => owner.stop(),
    whenIdle: () => owner.whenIdle(),
    end: () => {
      owner.end();
      mappings.close();
      store?.close().catch(onProblem);
    },
    answer: (question) => {
      const uids = readFlowQuestion(question);
      return uids === null ? null : packFlows(mappings.reports(uids));
    },
  };
}

/** What is kept of a mapping; null = it is not polled, which is somebody else's work. */
function viewSeen(object: EventSourceMappingObject): SeenMapping | null {
  if (viewPush(object) !== null) return null;
  const view = viewMapping(object, sourceOf({ source: object.spec })?.traits ?? null);
  return { view, status: object.status ?? null };
}

/** Until the signal aborts. */
async function writeStatuses(
  mappings: Mappings,
  onProblem: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await mappings.writeStatuses().catch(onProblem);
    await clock.sleep(STATUS_MS, signal).catch(() => undefined);
  }
}

/** Without a store. */
const nobody = {
  start: () => undefined,
  stop: () => undefined,
  whenIdle: () => Promise.resolve(),
  end: () => undefined,
  add: () => undefined,
  remove: () => undefined,
  whenGivenUp: () => Promise.resolve(),
  heldShards: () => [],
  isStoreAway: true,
};

function makeOwner(
  { gatewayId, teller }: Context,
  { membership }: EventSourceParts,
  { store, metrics }: { readonly store: CheckpointStore; readonly metrics: EventSourceMetrics },
): ShardOwner {
  const { ownership } = membership;
  return new ShardOwner({
    store,
    self: gatewayId,
    ranksFirst: (key) => ownership.ranksFirst?.(key) ?? false,
    clock,
    onProblem: teller('shards', 'who reads which event source cannot be said now'),
    observer: metrics.owner,
  });
}

function makeMappings(
  context: Context,
  parts: EventSourceParts,
  {
    owner,
    hasStore,
    rooms,
    metrics,
  }: Pick<MappingsDeps, 'owner' | 'hasStore'> & { readonly rooms: Rooms; readonly metrics: EventSourceMetrics },
): Mappings {
  const { membership, watched } = parts;
  const controllerDeps = controllerDepsOf(context, parts, rooms);
  return new Mappings({
    owner,
    hasStore,
    sourceOf,
    makeController: (setup) => new MappingController(setup, controllerDeps),
    writer: new StatusWriter({
      kubernetes: parts.kubernetes,
      now: Date.now,
      nowMs: clock.nowMs,
      onProblem: context.teller('mapping status', 'the status of an event source mapping could not be written'),
    }),
    observerOf: (key) => ({ ...metrics.observerOf(key), problem: problemTeller(context, key) }),
    functionProblem: (view) => {
      const isKnown = watched.missing().length === 0 && watched.hearsOfFunctions();
      return isKnown ? planFunction(watched.functions.look(view.functionKey), view) : null;
    },
    ranksFirst: (key) => membership.ownership.ranksFirst?.(key) ?? false,
    askOthers: async (uids) => (await membership.askOthers(packFlowQuestion(uids))).map(readFlows),
    now: Date.now,
    nowMs: clock.nowMs,
  });
}

function controllerDepsOf(context: Context, parts: EventSourceParts, rooms: Rooms): ControllerDeps {
  const attemptDeps = {
    ...parts.watched,
    router: parts.membership.router,
    random: Math.random,
    onRefused: parts.onRefused,
  };
  const neighbours = neighboursOf(context, parts);
  const guard = addressGuard(guardRules(context.config));
  return {
    openDeps: (mapping) => ({ ...openDepsOf(context, parts, mapping), guard }),
    rooms,
    tell: failureTeller({
      senders: { sqs: sqsSender(neighbours), sns: snsSender(neighbours), s3: s3Sender(neighbours) },
      arnOf: (mapping) => functionArnOf(context, parts, mapping),
      clock,
    }),
    invoke: batchInvoker({ ...attemptDeps, now: Date.now }),
    mayRun: (mapping) => mayRun(mapping, attemptDeps),
    clock,
    random: Math.random,
    newRequestId: randomUUID,
  };
}

function roomsOf({ config }: Context, { asyncRunning }: EventSourceParts): Rooms {
  return new Rooms(() => ({ concurrency: config.accountConcurrency, asyncRunning: asyncRunning() }), clock);
}

function problemTeller({ problem }: Context, key: string): PollerObserver['problem'] {
  return (found) => {
    if (found === null) return;
    const { reason, message } = found;
    problem(`mapping ${key} ${reason}`, { mapping: key, reason, problem: message }, 'an event source is not read');
  };
}

function neighboursOf({ config }: Context, { watched }: EventSourceParts): NeighbourOptions {
  return {
    region: config.region,
    ownEndpoints: config.endpoints,
    endpointsOf: watched.endpointsOf,
    credentials: config.shipCredentials,
  };
}

/** Without a qualifier; of a function that is gone it is what it would be. */
function functionArnOf({ arnOf }: Context, { watched }: EventSourceParts, { functionKey }: MappingView): string {
  const { routed } = watched.functions.look(functionKey);
  const [, name = ''] = functionKey.split('/');
  return routed?.arn ?? arnOf(defaultAccountId, toLambdaName(name) ?? name);
}

/** What a source of a mapping works with. */
function openDepsOf(
  context: Context,
  parts: EventSourceParts,
  { namespace }: MappingView,
): Pick<OpenDeps, 'now' | 'secret' | 'aws'> {
  const read = sourceReader(parts.kubernetes);
  const neighbours = neighboursOf(context, parts);
  return {
    now: Date.now,
    secret: async (uri) => {
      const name = secretNameOf(uri);
      const found = await read({ kind: 'Secret', namespace, name }).catch((cause: unknown) => {
        throw new SourceProblem('CredentialsMissing', `the Secret ${name} cannot be read now (${textOf(cause)})`, {
          cause,
        });
      });
      if (found === null)
        throw new SourceProblem('CredentialsMissing', `there is no Secret ${name} in namespace ${namespace}`);
      return found;
    },
    aws: (variable, arn) => {
      const found = neighbourConfig(neighbours, variable, { namespace, arn });
      if (found !== null) return found;
      const why = `nobody has said where ${arn} is: neither ${variable} of the install nor the namespace (docs/neighbours.md)`;
      throw new SourceProblem('InvalidSource', why);
    },
  };
}

/** `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME` or `secret://NAME`: the Secret NAME of the mapping's namespace. @throws SourceProblem */
function secretNameOf(uri: string): string {
  const [, name] = /^(?:arn:aws[\w-]*:secretsmanager:[\w-]*:\d*:secret:|secret:\/\/)([\w.-]+)$/.exec(uri) ?? [];
  if (name !== undefined) return name;
  throw new SourceProblem(
    'CredentialsMissing',
    `${uri} names no Secret: secret://NAME, or arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`,
  );
}

/** Its timers do not keep the process alive. */
const clock: PollerClock = {
  now: Date.now,
  nowMs: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal, ref: false }),
};
