import { expect, test } from '@jest/globals';
import { parseFunction } from '@kappa/crds/function';

import { functionView, testRouting, versionView } from '../testing.ts';
import { type RoutedFunction, routeFunction } from './routing.ts';
import { viewFunction } from './views.ts';

const metadata = { name: 'hello', namespace: 'default', uid: 'u', resourceVersion: '1', generation: 1 };
const code = { inline: { files: [{ path: 'index.mjs', content: '' }] } };

test.each<[reason: string, concurrency: object, want: object | null]>([
  ['calls are refused unless it is said', {}, null],
  ['and when it is said', { onLimit: 'Reject' }, null],
  ['bounds that hold for everybody', { onLimit: 'Queue' }, { maxWaitMs: 10_000, maxCount: 100 }],
  ['own bounds', { onLimit: 'Queue', maxQueueSeconds: 60, maxQueued: 7 }, { maxWaitMs: 60_000, maxCount: 7 }],
])('what the gateway keeps of onLimit: %s', (_reason, concurrency, want) => {
  const spec = { runtime: 'nodejs24.x', handler: 'index.handler', code, concurrency };
  expect(viewFunction(parseFunction({ metadata, spec })).limitQueue).toEqual(want);
});

test('a change of it is a change of the target, another object that says the same is none', () => {
  const route = (
    limitQueue: { maxWaitMs: number; maxCount: number } | null,
    previous: RoutedFunction | null = null,
  ) => {
    const versions = new Map([['hello-aaaaaaaaaa', versionView()]]);
    const observed = { fn: functionView({ limitQueue }), versions, aliases: [], accountId: '000000000000' };
    return routeFunction(observed, previous, testRouting);
  };
  const first = route({ maxWaitMs: 1_000, maxCount: 5 });
  expect(first.latest?.limitQueue).toEqual({ maxWaitMs: 1_000, maxCount: 5 });
  expect(route({ maxWaitMs: 1_000, maxCount: 5 }, first).latest).toBe(first.latest);
  expect(route({ maxWaitMs: 2_000, maxCount: 5 }, first).latest?.limitQueue?.maxWaitMs).toBe(2_000);
  expect(route({ maxWaitMs: 1_000, maxCount: 6 }, first).latest?.limitQueue?.maxCount).toBe(6);
  expect(route(null, first).latest).not.toHaveProperty('limitQueue');
});
