import { Counter, Gauge, type Registry } from 'prom-client';

import type { RunnerObserver } from '../async/runner-options.ts';
import type { FailureTarget } from '../async/settings.ts';
import type { Condition } from '../queue/event.ts';
import type { LineState, Settlement } from '../queue/event-queue.ts';
import { Buckets, registerBuckets } from './buckets.ts';

/** What is counted of asynchronous invocations. Lines are namespace/name of the Function. */
export interface EventMetrics extends RunnerObserver {
  readonly received: (line: string) => void;
  /** Dead events were removed before their time. */
  readonly evicted: (line: string, events: number) => void;
  /** Somebody could not be told of a final outcome. */
  readonly deliveryFailed: (line: string, kind: FailureTarget['kind']) => void;
}

/** Seconds. Retries of Lambda's schedule are at 60 s and 180 s; an event lives for 21,600 s at most. */
const ages = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 120, 180, 300, 900, 3600, 21_600];

/** Lambda's metrics of asynchronous invocations, under names of Prometheus. @param isRegistered see MetricSources */
export function eventMetrics(registry: Registry, isRegistered: (line: string) => boolean): EventMetrics {
  const received = counter(registry, 'async_events_received_total', 'Events that were accepted and are on disk.');
  const dropped = counter(
    registry,
    'async_events_dropped_total',
    'Events that were given up without a good run. condition: as in invocation records.',
    'condition',
  );
  const evicted = counter(
    registry,
    'dead_events_evicted_total',
    'Events that were given up and then removed before their time, because newer ones needed the room.',
  );
  const deadLetters = counter(registry, 'dead_letter_errors_total', 'Failed deliveries to a dead-letter queue.');
  const deliveries = counter(
    registry,
    'destination_delivery_failures_total',
    'Failed deliveries of records to a destination.',
  );
  const byLine = new Map<string, Buckets>();
  registerBuckets(registry, {
    name: 'kappa_gateway_async_event_age_seconds',
    help: 'Seconds from the acceptance of an event until an attempt to run it begins.',
    read: () => {
      for (const line of byLine.keys()) if (!isRegistered(line)) byLine.delete(line);
      return [...byLine].map(([line, buckets]) => [labelsOf(line), buckets]);
    },
  });
  const swept = backlogGauges(registry, isRegistered);
  return {
    swept,
    received: (line) => received.inc(labelsOf(line)),
    evicted: (line, events) => evicted.inc(labelsOf(line), events),
    begun: (line, ageMs) => {
      const buckets = byLine.get(line) ?? new Buckets(ages);
      byLine.set(line, buckets);
      buckets.observe(ageMs / 1000);
    },
    settled: (line, settlement) => {
      const condition = droppedBy(settlement);
      if (condition !== null) dropped.inc({ ...labelsOf(line), condition });
    },
    deliveryFailed: (line, kind) => (kind === 'deadLetter' ? deadLetters : deliveries).inc(labelsOf(line)),
  };
}

/** What waits, as the latest sweep has seen it. Answers who is to be told of a sweep. */
function backlogGauges(registry: Registry, isRegistered: (line: string) => boolean): RunnerObserver['swept'] {
  let seen: readonly LineState[] = [];
  let seenMs = 0;
  const gauge = (name: string, help: string, read: (state: LineState) => number): void => {
    new Gauge({
      name: `kappa_gateway_${name}`,
      help,
      labelNames: ['namespace', 'function'],
      registers: [registry],
      collect() {
        this.reset();
        for (const state of seen) if (isRegistered(state.line)) this.set(labelsOf(state.line), read(state));
      },
    });
  };
  gauge(
    'async_events_waiting',
    'Events of functions that this gateway takes events of, those that run included.',
    (state) => state.waiting + state.leased,
  );
  gauge(
    'async_oldest_event_age_seconds',
    'Since when the oldest of them was accepted.',
    ({ oldestMs }) => Math.max(0, seenMs - oldestMs) / 1000,
  );
  return (own, nowMs) => {
    seen = own;
    seenMs = nowMs;
  };
}

/** What an event was given up for by this decision; null = it was not, or that was counted before. */
function droppedBy(settlement: Settlement): Condition | null {
  if (settlement.kind === 'done') return null;
  const { delivery } = settlement.progress;
  if (settlement.kind === 'dead') return delivery === undefined ? settlement.condition : null;
  return delivery?.failures === 0 && delivery.condition !== 'Success' ? delivery.condition : null;
}

function counter(registry: Registry, name: string, help: string, ...more: readonly string[]): Counter {
  const labelNames = ['namespace', 'function', ...more];
  return new Counter({ name: `kappa_gateway_${name}`, help, labelNames, registers: [registry] });
}

function labelsOf(line: string): Record<'namespace' | 'function', string> {
  const [namespace = '', name = ''] = line.split('/');
  return { namespace, function: name };
}
