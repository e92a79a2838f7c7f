import { at, text } from './json.ts';
import type { KubeObject } from './object.ts';
import type { Store } from './store.ts';
import type { WatchClock } from './watcher.ts';

/** An event lives this long after it was last seen, as on a real server. */
const eventLifeMs = 3600_000;
const sweepEveryMs = 300_000;

/** Removes old events, now and every five minutes, for as long as the process lives. */
export function expireEvents(store: Store, clock: WatchClock): void {
  const bornMs = clock.now() - eventLifeMs;
  for (const event of [...store.list('events', null)]) {
    if (lastSeenMs(event) < bornMs) store.remove('events', event.metadata.namespace ?? '', event.metadata.name);
  }
  clock.after(sweepEveryMs, () => expireEvents(store, clock));
}

/** The newest of the times that an event carries, epoch milliseconds. */
function lastSeenMs(event: KubeObject): number {
  const times = [
    event.metadata.creationTimestamp,
    event['eventTime'],
    event['lastTimestamp'],
    at(event, 'series', 'lastObservedTime'),
  ];
  return Math.max(...times.map((time) => Date.parse(text(time))).filter((ms) => !Number.isNaN(ms)));
}
