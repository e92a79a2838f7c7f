import { expect, test } from '@jest/globals';

import type { LogEvent } from './query.ts';
import { FoundEvents, pageOf } from './select.ts';

const eventsOf = (count: number, message: string): LogEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    id: String((n * 7) % count).padStart(56, '0'), // no order
    stream: 's',
    atMs: 0,
    takenMs: 0,
    message,
  }));

test.each<[what: string, events: LogEvent[], limit: number, bound: number]>([
  ['of few events', eventsOf(1_000, 'x'), 3, 6],
  ['of a MiB', eventsOf(100, 'x'.repeat(200 * 1024)), 10_000, 10],
  ['that is not full', eventsOf(5, 'x'), 10, 5],
  ['of one event above a MiB', eventsOf(4, 'x'.repeat(3_000_000)), 10, 1],
])('no more than two pages %s are kept, and the page is that of all', (_what, events, limit, bound) => {
  for (const take of ['first', 'last'] as const) {
    const found = new FoundEvents({ take, limit });
    for (const event of events) {
      found.add(event);
      expect(found.size).toBeLessThanOrEqual(bound);
    }
    expect(found.page()).toEqual(pageOf(events, { take, limit }));
  }
});
