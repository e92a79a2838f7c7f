import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';

import { eventMetrics } from './events.ts';

test('what waits is what the latest sweep has seen, of functions that are there', async () => {
  const registry = new Registry();
  const metrics = eventMetrics(registry, (line) => line !== 'default/gone');
  const value = async (name: string) => (await registry.getSingleMetric(`kappa_gateway_${name}`)?.get())?.values;
  const state = { line: 'default/hello', waiting: 3, leased: 2, oldestMs: 1000 };
  metrics.swept([state, { ...state, line: 'default/gone' }], 31_000);
  const labels = { namespace: 'default', function: 'hello' };
  expect(await value('async_events_waiting')).toEqual([{ labels, value: 5 }]);
  expect(await value('async_oldest_event_age_seconds')).toEqual([{ labels, value: 30 }]);
  metrics.swept([], 32_000);
  expect(await value('async_events_waiting')).toEqual([]);
});
