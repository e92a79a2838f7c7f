import { expect, test } from '@jest/globals';
import { historyLimit } from './store.ts';
import { codeOf, configMap, makeCaller, makeWorld, type World } from './testing.ts';
import { parseWatch, Watcher, type WatchSink } from './watcher.ts';

interface TestSink extends WatchSink {
  readonly events: {
    type: string;
    object: {
      metadata: { name?: string; resourceVersion: string; annotations?: Record<string, string> };
      code?: number;
    };
  }[];
  isEnded: boolean;
  isAborted: boolean;
  isSlow: boolean;
  drain(): void;
  close(): void;
}

function makeSink(): TestSink {
  const listeners = { drain: (): void => undefined, close: (): void => undefined };
  return {
    events: [],
    isEnded: false,
    isAborted: false,
    isSlow: false,
    write(line) {
      this.events.push(JSON.parse(line));
      return !this.isSlow;
    },
    onDrain: (listener) => {
      listeners.drain = listener;
    },
    onClose: (listener) => {
      listeners.close = listener;
    },
    end() {
      this.isEnded = true;
    },
    abort() {
      this.isEnded = true;
      this.isAborted = true;
    },
    drain: () => listeners.drain(),
    close: () => listeners.close(),
  };
}

const view = {
  answer: { format: 'json', as: '', contentType: 'application/json' },
  includeObject: 'Metadata',
} as const;

function watch(world: World, query: Record<string, string>): TestSink {
  const sink = makeSink();
  const target = world.target('', 'configmaps', '');
  const request = parseWatch(world.store, target, new URLSearchParams(query), () => 0);
  new Watcher(world.store, target, view, request, sink, world.clock).run();
  return sink;
}

const shown = (sink: TestSink): string[] =>
  sink.events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim());
const label = (name: string, value: string) => configMap(name, { metadata: { name, labels: { app: value } } });

function relabel(world: World, name: string, value: string): void {
  const target = world.target('', 'configmaps', name);
  const live = world.writer.resolve(target);
  world.writer.update(target, makeCaller(), {
    ...label(name, value),
    metadata: { name, labels: { app: value }, resourceVersion: live.metadata.resourceVersion },
  });
}

test('without a version what exists comes first, then what happens', () => {
  const world = makeWorld();
  world.create('configmaps', configMap('a'));
  const sink = watch(world, {});
  world.create('configmaps', configMap('b'));
  world.delete('configmaps', 'a');
  expect(shown(sink)).toEqual(['ADDED a', 'ADDED b', 'DELETED a']);
});

test('a version is a place to go on from', () => {
  const world = makeWorld();
  const { resourceVersion } = world.create('configmaps', configMap('a')).metadata;
  world.create('configmaps', configMap('b'));
  expect(shown(watch(world, { resourceVersion }))).toEqual(['ADDED b']);
});

test('entering the selection is ADDED, leaving it DELETED with the version of the change', () => {
  const world = makeWorld();
  world.create('configmaps', label('a', 'x'));
  const sink = watch(world, { labelSelector: 'app=y' });
  relabel(world, 'a', 'y');
  relabel(world, 'a', 'z');
  expect(shown(sink)).toEqual(['ADDED a', 'DELETED a']);
  expect(sink.events[1]?.object.metadata.resourceVersion).toBe(String(world.store.version));
});

test('the end of the initial objects is marked when asked for', () => {
  const world = makeWorld();
  world.create('configmaps', configMap('a'));
  const sink = watch(world, {
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: 'true',
  });
  expect(shown(sink)).toEqual(['ADDED a', 'BOOKMARK']);
  expect(sink.events[1]?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
});

test('bookmarks come each minute and 2 s before the end, with the newest version of all resources', () => {
  const world = makeWorld();
  const sink = watch(world, {
    resourceVersion: String(world.store.version),
    allowWatchBookmarks: 'true',
    timeoutSeconds: '90',
  });
  world.create('secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } });
  world.clock.advance(60_000);
  expect(shown(sink)).toEqual(['BOOKMARK']);
  expect(sink.events[0]?.object.metadata.resourceVersion).toBe(String(world.store.version));
  world.clock.advance(28_000);
  expect([sink.events.length, sink.isEnded]).toEqual([2, false]);
  world.clock.advance(2000);
  expect(sink.isEnded).toBe(true);
});

test('without allowWatchBookmarks there are none', () => {
  const world = makeWorld();
  const sink = watch(world, { resourceVersion: String(world.store.version), timeoutSeconds: '90' });
  world.clock.advance(90_000);
  expect([sink.events, sink.isEnded]).toEqual([[], true]);
});

test('a slow reader is sent nothing until it has caught up, and misses nothing', () => {
  const world = makeWorld();
  const sink = watch(world, {});
  sink.isSlow = true;
  for (const name of ['a', 'b', 'c']) world.create('configmaps', configMap(name));
  expect(shown(sink)).toEqual(['ADDED a']);
  sink.isSlow = false;
  sink.drain();
  expect(shown(sink)).toEqual(['ADDED a', 'ADDED b', 'ADDED c']);
});

test('a reader that falls behind the whole history is told 410 and ended', () => {
  const world = makeWorld();
  world.create('configmaps', configMap('a'));
  const sink = watch(world, {});
  sink.isSlow = true;
  for (let round = 0; round < historyLimit + 2; round += 1) relabel(world, 'a', `v${round}`);
  sink.isSlow = false;
  sink.drain();
  expect(sink.events.at(-1)).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  expect(sink.isEnded).toBe(true);
});

test('a reader that takes nothing for half a minute is cut off', () => {
  const world = makeWorld();
  const sink = watch(world, {});
  sink.isSlow = true;
  world.create('configmaps', configMap('a'));
  world.clock.advance(29_000);
  expect(sink.isEnded).toBe(false);
  world.clock.advance(1000);
  expect(sink.isAborted).toBe(true);
});

test('a reader that catches up in time goes on', () => {
  const world = makeWorld();
  const sink = watch(world, {});
  sink.isSlow = true;
  world.create('configmaps', configMap('a'));
  sink.isSlow = false;
  sink.drain();
  world.clock.advance(60_000);
  expect(sink.isEnded).toBe(false);
});

test('an event that cannot be written breaks the watch, not the write', () => {
  const world = makeWorld();
  const sink = watch(world, {});
  sink.write = () => {
    throw new Error('the sink is broken');
  };
  expect(() => world.create('configmaps', configMap('next'))).not.toThrow();
  expect(sink.isAborted).toBe(true);
});

test('a closed connection leaves no timer and no subscription', () => {
  const world = makeWorld();
  const sink = watch(world, { allowWatchBookmarks: 'true' });
  sink.close();
  world.create('configmaps', configMap('late'));
  world.clock.advance(3_600_000);
  expect(sink.events).toEqual([]);
});

test.each<[reason: string, query: Record<string, string>, code: number]>([
  ['a version of before the start', { resourceVersion: '1' }, 410],
  ['a version of the future', { resourceVersion: '9999' }, 410],
  ['a version that is no number', { resourceVersion: 'x' }, 400],
  ['initial events without a match', { sendInitialEvents: 'true', allowWatchBookmarks: 'true' }, 400],
  ['initial events without bookmarks', { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }, 400],
  ['a match without initial events', { resourceVersionMatch: 'NotOlderThan' }, 400],
  ['a negative time', { timeoutSeconds: '-1' }, 400],
])('%s is refused', (_reason, query, code) => {
  const world = makeWorld();
  world.create('configmaps', configMap('a'));
  world.store.forgetHistory();
  expect(codeOf(() => watch(world, query))).toBe(code);
});
