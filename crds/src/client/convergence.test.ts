import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { configMaps } from './kinds.ts';
import { connect } from './kubernetes.ts';
import { systemRuntime } from './runtime.ts';
import { FakeApi, type Fault, settle, until } from './testing.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const timing = { watchSeconds: 25, graceMs: 10_000, backoff: { firstMs: 1, maxMs: 4 }, pageSize: 2 };
const gone = { status: 410, body: { kind: 'Status', reason: 'Expired' } };

/** One thing that happens to the API server, or on the way to it. */
type Happening =
  | { readonly do: 'put' | 'remove'; readonly name: string }
  | { readonly do: 'fail'; readonly what: 'list' | 'watch'; readonly fault: Fault }
  | { readonly do: 'end'; readonly how: 'close' | 'reset' }
  | { readonly do: 'compact' | 'bookmark' | 'error' | 'wait' };

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const faults = fc.constantFrom<Fault>({ status: 500 }, { status: 503 }, { status: 429 }, gone, 'reset', 'close');
const happenings: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), name: names }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), name: names }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('fail' as const), what: fc.constant('watch' as const), fault: faults }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('fail' as const), what: fc.constant('list' as const), fault: faults }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('end' as const), how: fc.constantFrom('close' as const, 'reset' as const) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('compact' as const, 'bookmark' as const, 'error' as const, 'wait' as const),
    }),
  },
);

async function happen(api: FakeApi, happening: Happening, value: number): Promise<void> {
  if (happening.do === 'put')
    api.put(collection, { metadata: { name: happening.name, namespace: 'default' }, data: { value: String(value) } });
  else if (happening.do === 'remove') api.remove(collection, happening.name);
  else if (happening.do === 'fail') api.fail(happening.what, happening.fault);
  else if (happening.do === 'end') api.endWatches(happening.how);
  else if (happening.do === 'compact') api.compact();
  else if (happening.do === 'bookmark') api.bookmark();
  else if (happening.do === 'error')
    api.sendToWatches({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
  else await settle();
}

test('whatever happens, the view becomes what the server has, and so do those who only heard the changes', async () => {
  const scenario = fc.asyncProperty(fc.array(happenings, { minLength: 5, maxLength: 40 }), async (all) => {
    const api = await new FakeApi().start();
    const ended = new AbortController();
    const heard = new Map<string, string>();
    const kubernetes = connect(api.kubeconfig, { timing, runtime: systemRuntime });
    const informer = kubernetes.watch(configMaps, {
      project: (map) => map.data?.['value'] ?? '',
      onChange: (key, value) => void (value === null ? heard.delete(key) : heard.set(key, value)),
      signal: ended.signal,
    });
    try {
      for (const [index, happening] of all.entries()) await happen(api, happening, index);
      const wanted = () =>
        JSON.stringify(api.stored(collection).map(({ metadata, data }) => [`default/${metadata.name}`, data]));
      const seen = (pairs: Iterable<readonly [string, string]>) =>
        JSON.stringify([...pairs].sort().map(([key, value]) => [key, { value }]));
      await until('the view is the truth', () => seen(informer.entries()) === wanted() && seen(heard) === wanted());
      expect(informer.hasSynced || api.stored(collection).length === 0).toBe(true);
    } finally {
      ended.abort();
      await api.stop();
    }
  });
  // The same histories each time; others by KAPPA_TEST_SEED.
  await fc.assert(scenario, { numRuns: 30, seed: Number(process.env['KAPPA_TEST_SEED'] ?? 20261121) });
});
