import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

import type { DispatchStats } from './dispatch/dispatch-stats.ts';
import type { DispatchObserver, Report, Start, Target } from './dispatch/types.ts';
import type { Fault, ThrottleReason } from './errors.ts';
import { Buckets, registerBuckets } from './metrics/buckets.ts';
import { registerConcurrency } from './metrics/concurrency.ts';
import { type LogNumbers, registerLogMetrics } from './metrics/logs.ts';
import { poolLabel, registerPools } from './metrics/pools.ts';
import { registerRing } from './metrics/ring.ts';
import type { RingStats } from './ring/ring-options.ts';

/** Where gauges look when Prometheus asks. */
export interface MetricSources {
  readonly dispatch: () => DispatchStats;
  /** The gateways as this one sees them; null = it is alone. */
  readonly ring: () => RingStats | null;
  /** HTTP requests without an answer yet. */
  readonly inFlight: () => number;
  /** Bytes of request bodies that are held. */
  readonly bufferedBytes: () => number;
  /** Log lines of functions; null or absent = none are taken. */
  readonly logs?: () => LogNumbers | null;
  /** Size of each long-lived map, by name. */
  readonly entries: () => Readonly<Record<string, number>>;
  /** Whether the Function still exists: series of others are let go. Key: namespace/name. */
  readonly isRegistered: (key: string) => boolean;
}

/** What the gateway counts while it works. */
export interface GatewayMetrics {
  readonly observer: DispatchObserver;
  /** The cluster would not resize a claimed pod. */
  readonly resizeRefused: (pool: string) => void;
  /** A request that no function answered, by the error's code. */
  readonly refused: (code: string, fault: Fault) => void;
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];

/** Everything of one Function; plain numbers, because each invocation touches them. */
class FunctionSeries {
  readonly labels: Readonly<Record<'namespace' | 'function', string>>;
  invocations = 0;
  coldStarts = 0;
  functionErrors = 0;
  platformErrors = 0;
  readonly throttles = new Map<ThrottleReason, number>();
  readonly durations = new Buckets(seconds);

  constructor(target: Target) {
    this.labels = { namespace: target.namespace, function: target.functionObjectName };
  }
}

/** The series of Functions: as many as there are registered ones that have been called. */
class SeriesTable {
  readonly #byKey = new Map<string, FunctionSeries>();
  readonly #byTarget = new WeakMap<Target, FunctionSeries>();

  of(target: Target): FunctionSeries {
    return this.#byTarget.get(target) ?? this.#find(target);
  }

  /** The live ones; drops those of Functions that are gone. */
  live(isRegistered: (key: string) => boolean): readonly FunctionSeries[] {
    for (const key of this.#byKey.keys()) if (!isRegistered(key)) this.#byKey.delete(key);
    return [...this.#byKey.values()];
  }

  #find(target: Target): FunctionSeries {
    const key = `${target.namespace}/${target.functionObjectName}`;
    const series = this.#byKey.get(key) ?? new FunctionSeries(target);
    this.#byKey.set(key, series);
    this.#byTarget.set(target, series);
    return series;
  }
}

/** Every metric of the gateway. Base units; label sets are closed, or bounded by the registered Functions; never a request id. */
export function gatewayMetrics(registry: Registry, sources: MetricSources): GatewayMetrics {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  const table = new SeriesTable();
  const waits = { warm: new Buckets(seconds), cold: new Buckets(seconds) };
  const inits = new Buckets(seconds);
  registerFunctionCounters(registry, table, sources);
  registerHistograms(registry, table, waits, inits, sources);
  registerGauges(registry, sources);
  registerConcurrency(registry, sources.dispatch);
  const claims = new Counter({
    name: 'kappa_gateway_claims_total',
    help: 'Generic pods that were claimed. result: claimed | lost (the pod refused or went before it confirmed).',
    labelNames: ['pool', 'result'],
    registers: [registry],
  });
  const refusals = new Counter({
    name: 'kappa_gateway_refused_requests_total',
    help: 'Requests that no function answered. code: exception name of the Lambda API; fault: caller | function | platform.',
    labelNames: ['code', 'fault'],
    registers: [registry],
  });
  const resizes = new Counter({
    name: 'kappa_gateway_resizes_refused_total',
    help: 'Claimed pods that the cluster would not resize; their functions run with the size of the pool.',
    labelNames: ['pool'],
    registers: [registry],
  });
  const initFailures = new Counter({
    name: 'kappa_gateway_init_failures_total',
    help: 'Pods that ended without one good invocation.',
    labelNames: ['namespace', 'function'],
    registers: [registry],
  });
  const reclaimed = new Counter({
    name: 'kappa_gateway_pods_reclaimed_total',
    help: 'Idle pods that were given up because the nodes had no room for a new pod. pool: whose pod was given up.',
    labelNames: ['pool'],
    registers: [registry],
  });
  const observer: DispatchObserver = {
    started(target: Target, start: Start, waitMs: number) {
      const series = table.of(target);
      series.invocations += 1;
      if (start === 'cold') series.coldStarts += 1;
      waits[start].observe(waitMs / 1000);
    },
    reported(target: Target, _start: Start, report: Report | null) {
      if (report === null) return;
      const series = table.of(target);
      series.durations.observe(report.durationMs / 1000);
      if (report.status !== 'success') series.functionErrors += 1;
      if (report.initDurationMs !== undefined) inits.observe(report.initDurationMs / 1000);
    },
    throttled(target, reason) {
      const { throttles } = table.of(target);
      throttles.set(reason, (throttles.get(reason) ?? 0) + 1);
    },
    failed(target) {
      table.of(target).platformErrors += 1;
    },
    claimed(pool, result) {
      claims.inc({ pool: poolLabel(pool), result });
    },
    initFailed(target) {
      initFailures.inc(table.of(target).labels);
    },
    reclaimed(_target, { pool }) {
      reclaimed.inc({ pool: poolLabel(pool) });
    },
  };
  return {
    observer,
    resizeRefused: (pool) => resizes.inc({ pool: poolLabel(pool) }),
    refused: (code, fault) => refusals.inc({ code, fault }),
  };
}

function registerFunctionCounters(registry: Registry, table: SeriesTable, sources: MetricSources): void {
  const counter = (
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (series: FunctionSeries, add: (value: number, labels?: Record<string, string>) => void) => void,
  ): void => {
    new Counter<string>({
      name,
      help,
      labelNames: ['namespace', 'function', ...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const series of table.live(sources.isRegistered)) {
          read(series, (value, labels) => this.inc({ ...series.labels, ...labels }, value));
        }
      },
    });
  };
  counter('kappa_gateway_invocations_total', 'Invocations that a pod was given.', [], (series, add) =>
    add(series.invocations),
  );
  counter('kappa_gateway_cold_starts_total', 'Invocations that waited for the init of their pod.', [], (series, add) =>
    add(series.coldStarts),
  );
  counter(
    'kappa_gateway_errors_total',
    'Invocations that failed. fault: function (its code or configuration) | platform (Kappa).',
    ['fault'],
    (series, add) => {
      add(series.functionErrors, { fault: 'function' });
      add(series.platformErrors, { fault: 'platform' });
    },
  );
  counter(
    'kappa_gateway_throttles_total',
    'Invocations refused with 429. reason: as in TooManyRequestsException.',
    ['reason'],
    (series, add) => {
      for (const [reason, count] of series.throttles) add(count, { reason });
    },
  );
}

function registerHistograms(
  registry: Registry,
  table: SeriesTable,
  waits: Readonly<Record<Start, Buckets>>,
  inits: Buckets,
  sources: MetricSources,
): void {
  registerBuckets(registry, {
    name: 'kappa_gateway_duration_seconds',
    help: 'Seconds that the handler ran, as in the REPORT line.',
    read: () => table.live(sources.isRegistered).map((series) => [series.labels, series.durations]),
  });
  registerBuckets(registry, {
    name: 'kappa_gateway_wait_seconds',
    help: 'Seconds from arrival until a pod took the request, init not included. start: warm | cold.',
    read: () => [
      [{ start: 'warm' }, waits.warm],
      [{ start: 'cold' }, waits.cold],
    ],
  });
  registerBuckets(registry, {
    name: 'kappa_gateway_init_seconds',
    help: 'Seconds that the init of a claimed pod took.',
    read: () => [[{}, inits]],
  });
}

function registerGauges(registry: Registry, sources: MetricSources): void {
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (set: (value: number, labels?: Record<string, string>) => void) => void,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        read((value, labels = {}) => this.set(labels, value));
      },
    });
  };
  gauge('kappa_gateway_in_flight_requests', 'HTTP requests without an answer yet.', [], (set) =>
    set(sources.inFlight()),
  );
  gauge('kappa_gateway_buffered_bytes', 'Bytes of request bodies that are held.', [], (set) =>
    set(sources.bufferedBytes()),
  );
  registerLogMetrics(registry, () => sources.logs?.() ?? null);
  gauge('kappa_gateway_queued_requests', 'Requests that wait for a pod.', [], (set) => set(sources.dispatch().queued));
  gauge('kappa_gateway_queued_bytes', 'Bytes of the events that wait, for a pod or at a limit.', [], (set) =>
    set(sources.dispatch().queuedBytes),
  );
  registerPools(registry, sources.dispatch);
  gauge(
    'kappa_gateway_slots',
    'Slots of claimed pods. state: claiming | idle | busy | finishing (answered, not reported) | foreign (runs another gateway’s invocation) | lost (out of reach, counted against a cap).',
    ['state'],
    (set) => {
      for (const [state, count] of Object.entries(sources.dispatch().slots)) set(count, { state });
    },
  );
  registerRing(registry, sources.ring);
  gauge('kappa_gateway_entries', 'Entries of long-lived maps, by name.', ['map'], (set) => {
    for (const [map, size] of Object.entries(sources.entries())) set(size, { map });
  });
}
