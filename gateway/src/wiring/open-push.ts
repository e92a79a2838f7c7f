import { isNotFound } from '@kappa/crds/client/errors';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { Registry as MetricRegistry } from 'prom-client';

import type { Addressee } from '../async/accept.ts';
import { type PushMetrics, pushMetrics } from '../metrics/push.ts';
import { addresseeOf } from '../push/addressee.ts';
import { filterProblem } from '../push/door/wanted.ts';
import type { PushMapping } from '../push/push-mapping.ts';
import { PushMappings, viewSeen } from '../push/push-mappings.ts';
import { PushStatusWriter } from '../push/push-status.ts';
import { SnsService } from '../push/sns/sns-service.ts';
import type { ScheduleMarks } from '../queue/schedule-marks.ts';
import { KnownSources } from '../registry/known-sources.ts';
import { sourceReader } from '../registry/source-reader.ts';
import { Scheduler, type SchedulerDeps } from '../schedules/scheduler.ts';
import type { Context } from './context.ts';
import type { Membership } from './join-ring.ts';
import type { Events } from './open-events.ts';
import type { WatchedFunctions } from './watch-functions.ts';

/** Events that come without being polled. */
export interface Push {
  /** The mapping of that name; undefined = there is none that takes what is sent to it. @param key namespace/name */
  readonly mappingOf: (key: string) => PushMapping | undefined;
  /** Whether mappings that are not known do not exist, as far as is known at this moment. */
  readonly hearsOfMappings: () => boolean;
  readonly addresseeOf: (mapping: PushMapping) => Addressee;
  /** Secrets with tokens of the door. */
  readonly sources: KnownSources;
  readonly sns: SnsService;
  readonly metrics: PushMetrics;
  /** Fires nothing more. */
  readonly stop: () => void;
  /** Resolves when no firing is under way. */
  readonly whenIdle: () => Promise<void>;
}

/** What {@link openPush} connects. */
export interface PushParts {
  readonly kubernetes: Pick<Kubernetes, 'watch' | 'applyStatus' | 'get'>;
  readonly watched: Pick<WatchedFunctions, 'functions' | 'placeOf' | 'missing' | 'hearsOfFunctions' | 'endpointsOf'>;
  readonly membership: Pick<Membership, 'ownership' | 'notReadyBecause'>;
  /** null = this install has no store: nothing is fired. */
  readonly marks: ScheduleMarks | null;
  readonly events: Pick<Events, 'received'>;
  readonly metricRegistry: MetricRegistry;
}

/** The status of mappings is looked at so often. */
const STATUS_MS = 5_000;

/** Follows mappings that are not polled, fires those that are schedules, and tells how they are. Runs until the life's signal aborts. */
export function openPush(context: Context, parts: PushParts): Push {
  const { kubernetes, watched, membership } = parts;
  const { arnOf, clock, life, teller } = context;
  const metrics = pushMetrics(parts.metricRegistry);
  const isReady = (): boolean =>
    informer.hasSynced && watched.missing().length === 0 && membership.notReadyBecause().length === 0;
  const isMine = (uid: string): boolean => membership.ownership.ranksFirst?.(`esm/${uid}`) ?? false;
  const toWhom = (mapping: PushMapping): Addressee =>
    addresseeOf(mapping, { directory: watched.functions, placeOf: watched.placeOf, arnOf });
  const mappings = new PushMappings({
    isMine: ({ uid }) => isReady() && isMine(uid),
    hasFunction: (mapping) =>
      watched.functions.look(toWhom(mapping).line).fn !== undefined || !watched.hearsOfFunctions(),
    writer: new PushStatusWriter({
      kubernetes,
      now: Date.now,
      onProblem: teller('push status', 'the status of an event source mapping could not be written'),
    }),
    onSpec: (key, mapping) => {
      if (mapping !== null) mappings.judge(mapping, filterProblem(mapping));
      scheduler?.set(key, mapping);
    },
  });
  const hearsOfMappings = (): boolean => informer.hasSynced && !informer.isFailing && !informer.isStale;
  const onVerdict: SchedulerDeps['onVerdict'] = (mapping, problem) => mappings.judge(mapping, problem);
  const scheduler = openScheduler(context, parts, {
    ...{ isReady, isMine, onVerdict, addresseeOf: toWhom, knowsAll: hearsOfMappings },
    isNewest: (mapping) => isNewest(kubernetes, mapping),
    onFired: (mapping, line) => {
      metrics.fired(mapping);
      parts.events.received(line);
    },
  });
  const informer = kubernetes.watch(eventSourceMappings, {
    project: viewSeen,
    onChange: (key, seen) => mappings.set(key, seen),
    snapshot: { name: 'pushmappings', shape: 1 },
    signal: life.signal,
  });
  clock.every(STATUS_MS, () => mappings.tellAll());
  scheduler?.start();
  return {
    mappingOf: (key) => mappings.get(key),
    hearsOfMappings,
    addresseeOf: toWhom,
    sources: new KnownSources({ read: sourceReader(kubernetes), now: clock.nowMs, schedule: clock.after }),
    sns: new SnsService({ endpointsOf: watched.endpointsOf, now: Date.now }),
    metrics,
    stop: () => scheduler?.stop(),
    whenIdle: () => scheduler?.whenIdle() ?? Promise.resolve(),
  };
}

/** null = there is no store for what it fires. */
function openScheduler(
  { clock, teller }: Context,
  { marks }: PushParts,
  more: Pick<SchedulerDeps, 'isReady' | 'isMine' | 'isNewest' | 'knowsAll' | 'addresseeOf' | 'onVerdict' | 'onFired'>,
): Scheduler | null {
  if (marks === null) return null;
  return new Scheduler({
    ...more,
    store: marks,
    now: Date.now,
    after: clock.after,
    onProblem: teller('schedules', 'schedules cannot be fired now; they will be'),
  });
}

/** Asks the API server: what was watched may be old. */
async function isNewest(
  kubernetes: Pick<Kubernetes, 'get'>,
  { namespace, name, uid, generation }: PushMapping,
): Promise<boolean> {
  try {
    const { metadata } = await kubernetes.get(eventSourceMappings, namespace, name);
    return metadata.uid === uid && metadata.generation === generation;
  } catch (err) {
    if (isNotFound(err)) return false;
    throw err;
  }
}
