import type { Registry as MetricRegistry } from 'prom-client';

import { type AcceptEvent, eventAcceptor, eventKeeper, type KeepEvent } from '../async/accept.ts';
import { deliverer } from '../async/destinations/deliver.ts';
import { eventBridgeTeller } from '../async/destinations/event-bridge.ts';
import { lambdaTeller } from '../async/destinations/lambda.ts';
import { s3Teller } from '../async/destinations/s3.ts';
import { snsTeller } from '../async/destinations/sns.ts';
import { sqsTeller } from '../async/destinations/sqs.ts';
import type { Teller } from '../async/destinations/telling.ts';
import { isMine } from '../async/line-owner.ts';
import { Runner } from '../async/runner.ts';
import { defaultRunnerLimits } from '../async/runner-options.ts';
import { settingsOf } from '../async/settings.ts';
import { LambdaError } from '../errors.ts';
import { type EventMetrics, eventMetrics } from '../metrics/events.ts';
import type { EventQueue, EvictionListener } from '../queue/event-queue.ts';
import { openEventQueue } from '../queue/open-event-queue.ts';
import type { ScheduleMarks } from '../queue/schedule-marks.ts';
import { type Context, textOf } from './context.ts';
import type { Membership } from './join-ring.ts';
import type { WatchedFunctions } from './watch-functions.ts';

/** Asynchronous invocations. */
export interface Events {
  /** null = this install has no store for them. */
  readonly queue: EventQueue | null;
  readonly accept: AcceptEvent;
  /** The same for functions that need not be known. */
  readonly keep: KeepEvent;
  /** Counts an event that was accepted by other means. @param line namespace/name of the Function */
  readonly received: (line: string) => void;
  /** How many run now. */
  readonly runningCount: () => number;
  /** Begins no more of them. */
  readonly stop: () => void;
  /** Resolves when none runs. */
  readonly whenIdle: () => Promise<void>;
  /** Lets go of the store. */
  readonly end: () => void;
}

/** What {@link openEvents} connects. */
export interface EventParts {
  /** null = this install has none: asynchronous calls are refused. */
  readonly queue: EventQueue | null;
  readonly watched: Pick<WatchedFunctions, 'functions' | 'missing' | 'hearsOfFunctions' | 'endpointsOf' | 'has'>;
  readonly membership: Pick<Membership, 'router' | 'ownership' | 'notReadyBecause'>;
  readonly metricRegistry: MetricRegistry;
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** The store that the settings name; null = there is none: a file cannot be shared by several gateways. */
export function openQueue({ config, teller }: Context): (EventQueue & ScheduleMarks) | null {
  if (config.redis === null && config.peerService !== '') return null;
  const onProblem = teller('event queue', 'the store of asynchronous invocations is in trouble');
  return openEventQueue({ ...config, onProblem });
}

/** Accepts asynchronous invocations, and runs those that are this gateway's. */
export function openEvents(context: Context, parts: EventParts): Events {
  const { config, clock, teller } = context;
  const { queue, watched, membership, metricRegistry, onRefused } = parts;
  const metrics = eventMetrics(metricRegistry, watched.has);
  if (queue === null) return noEvents;
  queue.onEvicted(evictionTeller(context, metrics));
  const acceptDeps = { queue, now: Date.now, onReceived: metrics.received };
  const accept = eventAcceptor(acceptDeps);
  const runner = new Runner({
    queue,
    functions: watched.functions,
    hearsOfFunctions: watched.hearsOfFunctions,
    router: membership.router,
    random: Math.random,
    onRefused,
    isReady: () => watched.missing().length === 0 && membership.notReadyBecause().length === 0,
    isMine: (line) => isMine(line, watched, membership.ownership),
    settingsOf: (line, qualifier) => {
      const { fn } = watched.functions.look(line);
      return fn === undefined ? null : settingsOf(fn, qualifier);
    },
    deliver: deliverer({
      tellers: tellersOf(context, parts, accept),
      onFailed: failureTeller(context, metrics),
      after: clock.after,
    }),
    observer: metrics,
    now: Date.now,
    after: clock.after,
    onProblem: teller('events', 'asynchronous invocations are not taken from the store, or not settled'),
    limits: { ...defaultRunnerLimits, maxRunning: config.accountConcurrency },
  });
  runner.start();
  return {
    queue,
    accept,
    keep: eventKeeper(acceptDeps),
    received: metrics.received,
    runningCount: () => runner.runningCount,
    stop: () => runner.stop(),
    whenIdle: () => runner.whenIdle(),
    end: () => {
      runner.end();
      queue.close().catch(teller('events', 'the store of asynchronous invocations was not closed'));
    },
  };
}

const refused = (): Promise<never> =>
  Promise.reject(
    new LambdaError(
      'NotImplementedException',
      'This install has no store for asynchronous invocations: KAPPA_REDIS_URL is not set. Synchronous invocations work.',
      { status: 501, fault: 'platform' },
    ),
  );

const noEvents: Events = {
  queue: null,
  accept: refused,
  keep: refused,
  received: () => undefined,
  runningCount: () => 0,
  stop: () => undefined,
  whenIdle: () => Promise.resolve(),
  end: () => undefined,
};

function tellersOf(
  { config }: Context,
  { watched }: EventParts,
  accept: AcceptEvent,
): Readonly<Record<string, Teller>> {
  const neighbours = {
    region: config.region,
    ownEndpoints: config.endpoints,
    endpointsOf: watched.endpointsOf,
    credentials: config.shipCredentials,
  };
  return {
    sqs: sqsTeller(neighbours),
    sns: snsTeller(neighbours),
    events: eventBridgeTeller(neighbours),
    s3: s3Teller(neighbours),
    lambda: lambdaTeller({ functions: watched.functions, accept, random: Math.random }),
  };
}

function evictionTeller({ problem }: Context, metrics: EventMetrics): EvictionListener {
  return (line, events) => {
    metrics.evicted(line, events);
    problem(
      `evicted ${line}`,
      { function: line, events },
      'events that were given up are removed before their time: newer ones need the room',
    );
  };
}

function failureTeller({ problem }: Context, metrics: EventMetrics): Parameters<typeof deliverer>[0]['onFailed'] {
  return ({ kind, arn, event }, err) => {
    metrics.deliveryFailed(event.line, kind);
    problem(
      `delivery ${arn} ${textOf(err)}`,
      { function: event.line, requestId: event.id, arn, problem: textOf(err) },
      'a destination could not be told of an event; it is tried again',
    );
  };
}
