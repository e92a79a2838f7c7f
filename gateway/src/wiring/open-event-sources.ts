import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { Registry as MetricRegistry } from 'prom-client';

import { type NeighbourOptions, neighbourConfig } from '../async/destinations/neighbours.ts';
import type { CheckpointStore } from '../event-sources/checkpoints/checkpoint-store.ts';
import { recordFilter } from '../event-sources/filter/record-filter.ts';
import { MappingController } from '../event-sources/mapping/mapping-controller.ts';
import type { MappingView } from '../event-sources/mapping/mapping-view.ts';
import { viewMapping } from '../event-sources/mapping/view-mapping.ts';
import { ShardOwner } from '../event-sources/owner/shard-owner.ts';
import { batchInvoker, mayRun } from '../event-sources/poll/invoke-batch.ts';
import type { PollerClock, PollerObserver } from '../event-sources/poll/poller.ts';
import { Rooms } from '../event-sources/poll/rooms.ts';
import type { OpenDeps } from '../event-sources/source.ts';
import { SourceProblem } from '../event-sources/source-problem.ts';
import { sourceOf } from '../event-sources/sources.ts';
import { openCheckpoints } from '../queue/open-checkpoints.ts';
import { sourceReader } from '../registry/source-reader.ts';
import { type Context, textOf } from './context.ts';
import type { Membership } from './join-ring.ts';
import type { WatchedFunctions } from './watch-functions.ts';

/** Event source mappings that are polled. */
export interface EventSources {
  /** Begins no more batches, and gives all shards to others. */
  readonly stop: () => void;
  /** Resolves when nothing is held. */
  readonly whenIdle: () => Promise<void>;
  /** Lets go of the store. */
  readonly end: () => void;
}

/** What {@link openEventSources} connects. */
export interface EventSourceParts {
  readonly kubernetes: Pick<Kubernetes, 'watch' | 'get'>;
  readonly watched: Pick<WatchedFunctions, 'functions' | 'hearsOfFunctions' | 'endpointsOf'>;
  readonly membership: Pick<Membership, 'router' | 'ownership'>;
  /** Asynchronous invocations that run now. */
  readonly asyncRunning: () => number;
  readonly metricRegistry: MetricRegistry;
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Polls the event sources of all mappings whose shards are this gateway's. Runs until the life's signal aborts. */
export function openEventSources(context: Context, parts: EventSourceParts): EventSources {
  const { config, teller } = context;
  const hasStore = config.redis !== null || config.peerService === ''; // a file cannot be shared by several gateways
  if (!hasStore) return { stop: () => undefined, whenIdle: () => Promise.resolve(), end: () => undefined };
  const onProblem = teller('event sources', 'the store of checkpoints is in trouble: event sources are not read');
  const store = openCheckpoints({ ...config, onProblem });
  const owner = makeOwner(context, parts, store);
  const mappings = new Mappings(context, parts, owner);
  parts.kubernetes.watch(eventSourceMappings, {
    project: (object) => viewMapping(object, sourceOf({ source: object.spec })?.traits ?? null),
    onChange: (key, view) => mappings.set(key, view),
    snapshot: { name: 'eventsourcemappings', shape: 1 },
    signal: context.life.signal,
  });
  owner.start();
  return {
    stop: () => owner.stop(),
    whenIdle: () => owner.whenIdle(),
    end: () => {
      owner.end();
      mappings.close();
      store.close().catch(onProblem);
    },
  };
}

function makeOwner(
  { gatewayId, teller }: Context,
  { membership }: EventSourceParts,
  store: CheckpointStore,
): ShardOwner {
  const { ownership } = membership;
  return new ShardOwner({
    store,
    self: gatewayId,
    ranksFirst: (key) => ownership.ranksFirst?.(key) ?? false,
    clock,
    onProblem: teller('shards', 'who reads which event source cannot be said now'),
    observer: { takenOver: () => undefined, restarted: () => undefined },
  });
}

/** Controllers of all mappings that are wanted. */
class Mappings {
  readonly #context: Context;
  readonly #owner: ShardOwner;
  readonly #controllers = new Map<string, MappingController>();
  readonly #deps: ConstructorParameters<typeof MappingController>[1];

  constructor(context: Context, parts: EventSourceParts, owner: ShardOwner) {
    this.#context = context;
    this.#owner = owner;
    const attemptDeps = {
      ...parts.watched,
      router: parts.membership.router,
      random: Math.random,
      onRefused: parts.onRefused,
    };
    this.#deps = {
      openDeps: (mapping) => openDepsOf(context, parts, mapping),
      rooms: new Rooms(
        () => ({
          concurrency: context.config.accountConcurrency,
          asyncRunning: parts.asyncRunning(),
          sinceSyncRefusedMs: Number.POSITIVE_INFINITY,
          sinceAsyncRefusedMs: Number.POSITIVE_INFINITY,
        }),
        clock,
      ),
      invoke: batchInvoker({ ...attemptDeps, now: Date.now }),
      mayRun: (mapping) => mayRun(mapping, attemptDeps),
      clock,
      random: Math.random,
      newRequestId: randomUUID,
    };
  }

  /** @param view null = it is gone */
  set(key: string, view: MappingView | null): void {
    const known = this.#controllers.get(key);
    const source = view === null ? null : sourceOf(view);
    if (view === null || source === null || !view.isEnabled) {
      this.#remove(key);
      return;
    }
    const filter = recordFilter(view.filters, source.traits);
    const isSame = known?.uid === view.uid && JSON.stringify(known.mapping.source) === JSON.stringify(view.source);
    if (known !== undefined && isSame) {
      known.update(view, filter);
      return;
    }
    this.#remove(key);
    const controller = new MappingController(
      { mapping: view, source, filter, observer: this.#observerOf(key) },
      this.#deps,
    );
    this.#controllers.set(key, controller);
    this.#owner.add(controller);
  }

  close(): void {
    for (const controller of this.#controllers.values()) controller.close();
  }

  /** What runs ends first. */
  #remove(key: string): void {
    const controller = this.#controllers.get(key);
    if (controller === undefined) return;
    this.#controllers.delete(key);
    this.#owner.remove(controller);
    void this.#owner.whenGivenUp(controller).then(() => controller.close());
  }

  #observerOf(key: string): PollerObserver {
    const { problem } = this.#context;
    return {
      polled: () => undefined,
      filteredOut: () => undefined,
      invoked: () => undefined,
      ended: () => undefined,
      deleted: () => undefined,
      dropped: () => undefined,
      told: () => undefined,
      notTold: () => undefined,
      behind: () => undefined,
      problem: (found) => {
        if (found === null) return;
        problem(
          `mapping ${key} ${found.reason}`,
          { mapping: key, reason: found.reason, problem: found.message },
          'an event source is not read',
        );
      },
    };
  }
}

/** What a source of a mapping works with. */
function openDepsOf(
  { config }: Context,
  { kubernetes, watched }: EventSourceParts,
  { namespace }: MappingView,
): Omit<OpenDeps, 'signal' | 'onProblem'> {
  const read = sourceReader(kubernetes);
  const neighbours: NeighbourOptions = {
    region: config.region,
    ownEndpoints: config.endpoints,
    endpointsOf: watched.endpointsOf,
    credentials: config.shipCredentials,
  };
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
