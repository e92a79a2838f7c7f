import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';

import { functionView } from '../testing.ts';
import { loopGuard } from './loop-guard.ts';
import { loopTeller } from './tell-loops.ts';

test('a stopped loop is counted, and an event of the Function; of one that is gone only counted', async () => {
  const metrics = new Registry();
  const events: unknown[] = [];
  const tell = loopTeller({
    metrics,
    kubernetes: {
      event: async (regarding, text) => void events.push({ regarding, text }),
    },
    directory: {
      look: (key) => ({
        fn: key === 'default/hello' ? functionView() : undefined,
        routed: undefined,
        versions: [],
        aliases: [],
      }),
    },
  });
  for (const name of ['hello', 'hello', 'gone'])
    tell(loopGuard({ arn: `arn:${name}`, namespace: 'default', name, mayLoop: false }));
  const metric = 'kappa_gateway_recursive_invocations_dropped_total';
  expect(await metrics.getSingleMetricAsString(metric)).toMatch(
    /\{namespace="default",function="hello"\} 2\n.*\{namespace="default",function="gone"\} 1$/,
  );
  const regarding = {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    namespace: 'default',
    name: 'hello',
    uid: 'uid-hello',
  };
  const text = expect.objectContaining({ type: 'Warning', reason: 'RecursiveLoopStopped' });
  expect(events).toEqual([
    { regarding, text },
    { regarding, text },
  ]);
});
