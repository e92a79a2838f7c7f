import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Informer } from './informer.ts';
import { configMaps } from './kinds.ts';
import { connect } from './kubernetes.ts';
import { systemRuntime } from './runtime.ts';
import { FakeApi, type Fault, settle, until, type WatchEnd } from './testing.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const timing = { watchSeconds: 25, graceMs: 10_000, backoff: { firstMs: 1, maxMs: 4 }, pageSize: 2 };
const gone = { status: 410, body: { kind: 'Status', reason: 'Expired' } };

/** One thing that happens to the API server, or on the way to it. */
type Happening =
  | { readonly do: 'put' | 'remove'; readonly name: string }
  | { readonly do: 'fail'; readonly what: 'list' | 'watch'; readonly fault: Fault }
  | { readonly do: 'end'; readonly how: WatchEnd }
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
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      how: fc.constantFrom<WatchEnd>('close', 'reset', 'cut', 'torn'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('compact' as const, 'bookmark' as const, 'error' as const) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const) }) }, // else all is over before the first list
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

/** An informer, and what somebody knows who only hears its changes. */
interface Follower {
  readonly informer: Informer<string>;
  readonly heard: ReadonlyMap<string, string>;
}

function follow(api: FakeApi, signal: AbortSignal, onFirstChange: () => void = () => undefined): Follower {
  const heard = new Map<string, string>();
  let isFirst = true;
  const informer = connect(api.kubeconfig, { timing, runtime: systemRuntime }).watch(configMaps, {
    project: (map) => map.data?.['value'] ?? '',
    onChange: (key, value) => {
      value === null ? heard.delete(key) : heard.set(key, value);
      if (isFirst) onFirstChange();
      isFirst = false;
    },
    signal,
  });
  return { informer, heard };
}

async function untilTrue(api: FakeApi, { informer, heard }: Follower): Promise<void> {
  const wanted = () =>
    JSON.stringify(api.stored(collection).map(({ metadata, data }) => [`default/${metadata.name}`, data]));
  const seen = (pairs: Iterable<readonly [string, string]>) =>
    JSON.stringify([...pairs].sort().map(([key, value]) => [key, { value }]));
  const isTrue = () => informer.hasSynced && seen(informer.entries()) === wanted() && seen(heard) === wanted();
  await until('the view is the truth', isTrue); // it may be before the last page, too: then it does not know
}

test('whatever happens, the view becomes what the server has, and so do those who only heard the changes', async () => {
  const scenario = fc.asyncProperty(fc.array(happenings, { minLength: 5, maxLength: 40 }), async (all) => {
    const api = await new FakeApi().start();
    const ended = new AbortController();
    try {
      const follower = follow(api, ended.signal);
      for (const [index, happening] of all.entries()) await happen(api, happening, index);
      await untilTrue(api, follower);
    } finally {
      ended.abort();
      await api.stop();
    }
  });
  // Other histories each time. A failure says its seed at once (to shrink takes longer than a test may): KAPPA_TEST_SEED repeats it.
  const { KAPPA_TEST_SEED: seed, KAPPA_TEST_RUNS: runs = '30' } = process.env;
  const repeated = seed === undefined ? {} : { seed: Number(seed) };
  await fc.assert(scenario, { numRuns: Number(runs), endOnFailure: true, ...repeated });
});

describe('between the pages of a list', () => {
  let api: FakeApi;
  let ended: AbortController;

  beforeEach(async () => {
    api = await new FakeApi().start();
    ended = new AbortController();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await happen(api, { do: 'put', name }, 0);
  });

  afterEach(async () => {
    ended.abort();
    await api.stop();
  });

  const versions = (): (string | null)[] =>
    api.requests
      .filter(({ url }) => url.searchParams.has('watch'))
      .map(({ url }) => url.searchParams.get('resourceVersion'));
  const lists = (): number => api.requests.filter(({ url }) => !url.searchParams.has('watch')).length;

  /** The client asks for the second page only after it has said what is in the first. */
  const meanwhile = (all: readonly Happening[]) => () => {
    for (const [index, happening] of all.entries()) void happen(api, happening, index + 1);
  };
  const changes: readonly Happening[] = [
    { do: 'remove', name: 'b' }, // was on the first page
    { do: 'bookmark' },
    { do: 'put', name: 'a' },
    { do: 'put', name: 'd' }, // is on the second page
    { do: 'remove', name: 'e' },
    { do: 'put', name: 'f' },
  ];

  test('what changes is told by the watch', async () => {
    await untilTrue(api, follow(api, ended.signal, meanwhile(changes)));
    expect([lists(), versions()]).toEqual([3, ['5']]);
  });

  test('a compaction makes it begin anew', async () => {
    await untilTrue(api, follow(api, ended.signal, meanwhile([...changes, { do: 'compact' }])));
    await until('the watch is asked for', () => versions().length > 0); // the second list already told the truth
    expect([lists(), versions()]).toEqual([2 + 2, ['11']]);
  });

  test('a server that goes on at a later version costs no change: the watch begins at the first', async () => {
    const page = (version: string, names: readonly string[], next: object): Fault => {
      const items = api.stored(collection).filter(({ metadata: { name } }) => names.includes(name));
      return { status: 200, body: { kind: 'List', metadata: { resourceVersion: version, ...next }, items } };
    };
    api.fail('list', page('5', ['a', 'b'], { continue: 'more' }), page('11', ['c', 'd', 'e'], {}));
    await untilTrue(api, follow(api, ended.signal, meanwhile(changes)));
    expect([lists(), versions()]).toEqual([2, ['5']]);
  });
});
