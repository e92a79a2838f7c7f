import { Counter, type Registry } from 'prom-client';

/** Whose event it is: names of the EventSourceMapping. */
export interface MappingName {
  readonly namespace: string;
  readonly name: string;
}

/** What is counted of events that come without being polled. */
export interface PushMetrics {
  readonly fired: (mapping: MappingName) => void;
  /** What was sent to the door for this mapping. `filtered` = answered, and nobody wanted it. */
  readonly pushed: (mapping: MappingName, result: 'accepted' | 'filtered' | 'refused', events: number) => void;
}

/** Counters of schedules and of the door. */
export function pushMetrics(registry: Registry): PushMetrics {
  const fired = new Counter({
    name: 'kappa_gateway_schedule_firings_total',
    help: 'Firings of schedules that became events.',
    labelNames: ['namespace', 'mapping'],
    registers: [registry],
  });
  const pushed = new Counter({
    name: 'kappa_gateway_pushed_events_total',
    help: 'Events that were sent to mappings. result: accepted (on disk) | filtered (nobody wanted it) | refused (the sender was told why).',
    labelNames: ['namespace', 'mapping', 'result'],
    registers: [registry],
  });
  return {
    fired: ({ namespace, name }) => fired.inc({ namespace, mapping: name }),
    pushed: ({ namespace, name }, result, events) => pushed.inc({ namespace, mapping: name, result }, events),
  };
}
