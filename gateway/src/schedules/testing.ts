import type { EventSourceMappingSchedule } from '@kappa/crds/event-source-mapping';

import type { PushMapping } from '../push/push-mapping.ts';

/** A mapping that is a schedule: every hour since 10:00, unless it is said otherwise. */
export function testMapping(
  schedule: Partial<EventSourceMappingSchedule> = {},
  over: Partial<PushMapping> = {},
): PushMapping {
  const whole = { expression: 'rate(1 hour)', timezone: 'UTC', missed: 'One', ...schedule } as const;
  return {
    uid: '0c1c7f9e-0d5a-4b0e-8d5c-3f6a3c1d2e4f',
    namespace: 'default',
    name: 'hourly',
    generation: 1,
    createdMs: Date.parse('2026-11-22T10:00:00Z'),
    functionObjectName: 'hello',
    qualifier: null,
    isEnabled: true,
    source: { kind: 'schedule', schedule: whole },
    filters: [],
    tokenSecretRef: null,
    ...over,
  };
}
