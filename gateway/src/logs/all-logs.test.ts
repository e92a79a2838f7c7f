import { expect, test } from '@jest/globals';

import type { EventPage, EventQuery } from './query.ts';
import { emptyLogs, gatewaysOf, hello, put, streamA, streamB, takenMs } from './testing.ts';

const everything: Omit<EventQuery, 'kind'> = {
  ...hello,
  streams: null,
  prefix: '',
  startMs: 0,
  endMs: Number.MAX_SAFE_INTEGER,
  pattern: '',
  after: '',
  before: '',
  take: 'first',
  limit: 10_000,
};
const textsOf = ({ events }: EventPage): string[] => events.map(({ message }) => message.trimEnd());

/** Stream A moved from the first gateway to the second, which has stream B, too. */
function moved() {
  const [one, two] = [emptyLogs(), emptyLogs()];
  put(one, streamA, 0, '10 a0', '20 a1');
  put(two, streamA, 2, '30 a2');
  put(two, streamB, 0, '15 b0', '31 b1 WARN');
  return gatewaysOf(one, two, emptyLogs());
}

test('any gateway answers for all, in the order of time', async () => {
  for (const gateway of moved()) {
    const page = await gateway.events(everything);
    expect(textsOf(page)).toEqual(['a0', 'b0', 'a1', 'a2', 'b1 WARN']);
    expect(page.isCut).toBe(false);
    expect(page.events[0]).toMatchObject({ stream: streamA, atMs: 10, takenMs, message: 'a0\n' });
  }
});

test.each<[what: string, query: Partial<EventQuery>, want: string[]]>([
  ['a time range without its end', { startMs: 15, endMs: 30 }, ['b0', 'a1']],
  ['streams', { streams: [streamB] }, ['b0', 'b1 WARN']],
  ['a prefix of streams', { prefix: '2026/11/22/[$LATEST]' }, ['a0', 'a1', 'a2']],
  ['a pattern', { pattern: 'WARN' }, ['b1 WARN']],
  ['the newest', { take: 'last', limit: 2 }, ['a2', 'b1 WARN']],
])('%s', async (_what, query, want) => {
  for (const gateway of moved()) expect(textsOf(await gateway.events({ ...everything, ...query }))).toEqual(want);
});

test.each([1, 2, 3, 5])('pages of %s event(s) have everything once, forwards and backwards', async (limit) => {
  const [gateway] = moved();
  const want = ['a0', 'b0', 'a1', 'a2', 'b1 WARN'];
  for (const take of ['first', 'last'] as const) {
    const pages: EventPage[] = [];
    let edge = '';
    do {
      const bounds = take === 'first' ? { after: edge } : { before: edge };
      const page = await gateway?.events({ ...everything, ...bounds, take, limit });
      if (page === undefined) throw new Error('no gateway');
      expect(page.events.length).toBeGreaterThan(0);
      expect(page.events.length).toBeLessThanOrEqual(limit);
      pages.push(page);
      edge = (take === 'first' ? page.events.at(-1) : page.events[0])?.id ?? '';
    } while (pages.at(-1)?.isCut === true);
    if (take === 'last') pages.reverse();
    expect(pages.flatMap(textsOf)).toEqual(want);
  }
});

test('a page has at most a MiB, and goes no farther than what every gateway has said', async () => {
  const [one, two] = [emptyLogs(64 * 1024 * 1024), emptyLogs()];
  const long = 'x'.repeat(255 * 1024);
  for (let number = 0; number < 8; number += 1) put(one, streamA, number, `${number * 10} ${long}`);
  put(two, streamB, 0, '5 early', '75 late');
  const [gateway] = gatewaysOf(one, two);
  const page = await gateway?.events(everything);
  expect(page?.isCut).toBe(true);
  expect(page?.events.map(({ atMs }) => atMs)).toEqual([0, 5, 10, 20, 30].slice(0, page?.events.length));
  expect(page?.events.length).toBeGreaterThan(3);
});

test('streams of several gateways are put together', async () => {
  for (const gateway of moved()) {
    expect(await gateway.streams(hello)).toMatchObject([
      { name: streamA, firstMs: 10, lastMs: 30, createdMs: takenMs },
      { name: streamB, firstMs: 15, lastMs: 31 },
    ]);
    expect([...(await gateway.functions(hello.accountId))]).toEqual(['hello']);
    expect((await gateway.functions('111111111111')).size).toBe(0);
  }
});

test('a question that is none is refused', async () => {
  const [gateway] = gatewaysOf(emptyLogs());
  await expect(gateway?.answer(Buffer.from('{"kind":"other"}'))).rejects.toThrow('unknown kind');
});
