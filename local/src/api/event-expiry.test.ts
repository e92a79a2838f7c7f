import { expect, test } from '@jest/globals';
import { expireEvents } from './event-expiry.ts';
import { makeWorld, startMs } from './testing.ts';

const minuteMs = 60_000;
const event = (name: string, more: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name },
  involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
  ...more,
});

test('an event goes an hour after it was last seen', () => {
  const world = makeWorld();
  world.create('events', event('old'));
  world.create('events', event('seen', { lastTimestamp: new Date(startMs + 30 * minuteMs).toISOString() }));
  expireEvents(world.store, world.clock);
  world.clock.advance(59 * minuteMs);
  expect(world.get('events', 'old')).toBeDefined();
  world.clock.advance(6 * minuteMs);
  expect([world.get('events', 'old'), world.get('events', 'seen') === undefined]).toEqual([undefined, false]);
  world.clock.advance(30 * minuteMs);
  expect(world.get('events', 'seen')).toBeUndefined();
});
