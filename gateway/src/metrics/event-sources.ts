import { Counter, Gauge, type Registry } from 'prom-client';

import type { OwnerObserver } from '../event-sources/owner/shard-owner-deps.ts';
import type { PollerObserver } from '../event-sources/poll/poller.ts';

/** What is counted of event sources that are polled. */
export interface EventSourceMetrics {
  /** For the pollers of one mapping. @param key namespace/name */
  readonly observerOf: (key: string) => Omit<PollerObserver, 'problem'>;
  readonly owner: OwnerObserver;
}

/** Counts of records, by mapping. The words are those of Lambda's metrics of mappings. */
const counts = {
  polled: 'Records that were read from the source.',
  filtered_out: 'Records that no filter wanted.',
  invoked: 'Records that were given to the function; one that is tried again counts again.',
  failed: 'Records of batches that failed, as far as they did.',
  dropped: 'Records that were given up without anybody being told.',
  deleted: 'Messages that were deleted from their queue.',
  destination_delivered: 'Records that were given up and told to the on-failure destination.',
} as const;

/** @param heldBytes of records that all pollers hold */
export function eventSourceMetrics(registry: Registry, heldBytes: () => number): EventSourceMetrics {
  const records = Object.fromEntries(
    Object.entries(counts).map(([name, help]) => [name, counterOf(registry, `${name}_events_total`, help)]),
  );
  const batches = counterOf(
    registry,
    'batches_total',
    'Batches that have ended. result: as in the condition Succeeding.',
    'result',
  );
  const deliveries = counterOf(
    registry,
    'destination_delivery_failures_total',
    'Failed deliveries to an on-failure destination.',
  );
  const age = maximumOf(
    registry,
    'iterator_age_seconds',
    'How far a stream is behind, the furthest shard since the last look, seconds.',
  );
  const lag = maximumOf(
    registry,
    'offset_lag_records',
    'Records of a shard that are not read yet, the most since the last look.',
  );
  const takeovers = plainCounter(registry, 'takeovers_total', 'Shards that were claimed and had an owner before.');
  const restarts = plainCounter(
    registry,
    'poller_restarts_total',
    'Connections to event sources that hung and were made anew.',
  );
  new Gauge({
    name: 'kappa_gateway_esm_held_bytes',
    help: 'Bytes of records that are on their way through functions.',
    registers: [registry],
    collect() {
      this.set(heldBytes());
    },
  });
  return {
    observerOf: (key) => {
      const [namespace = '', mapping = ''] = key.split('/');
      const labels = { namespace, mapping };
      const add =
        (name: keyof typeof counts) =>
        (count: number): void =>
          records[name]?.inc(labels, count);
      return {
        polled: add('polled'),
        filteredOut: add('filtered_out'),
        invoked: add('invoked'),
        ended: ({ kind: result }, failed) => {
          batches.inc({ ...labels, result });
          if (failed > 0) add('failed')(failed);
        },
        deleted: add('deleted'),
        dropped: add('dropped'),
        told: add('destination_delivered'),
        notTold: () => deliveries.inc(labels),
        behind: (ms, behindRecords) => {
          if (ms !== null) age(key, ms / 1_000);
          if (behindRecords !== null) lag(key, behindRecords);
        },
      };
    },
    owner: { takenOver: () => takeovers.inc(), restarted: () => restarts.inc() },
  };
}

function counterOf(registry: Registry, name: string, help: string, ...more: readonly string[]): Counter {
  return new Counter({
    name: `kappa_gateway_esm_${name}`,
    help,
    labelNames: ['namespace', 'mapping', ...more],
    registers: [registry],
  });
}

function plainCounter(registry: Registry, name: string, help: string): Counter {
  return new Counter({ name: `kappa_gateway_esm_${name}`, help, registers: [registry] });
}

/** Answers what notes a value; the largest since the last look is shown, of mappings that noted some. */
function maximumOf(registry: Registry, name: string, help: string): (key: string, value: number) => void {
  const seen = new Map<string, number>();
  new Gauge({
    name: `kappa_gateway_esm_${name}`,
    help,
    labelNames: ['namespace', 'mapping'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [key, value] of seen) {
        const [namespace = '', mapping = ''] = key.split('/');
        this.set({ namespace, mapping }, value);
      }
      seen.clear();
    },
  });
  return (key, value) => void seen.set(key, Math.max(value, seen.get(key) ?? 0));
}
