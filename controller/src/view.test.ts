import { expect, test } from '@jest/globals';
import type { PodSummary } from './observed.ts';
import { View } from './view.ts';

/** A view whose informers hold nothing, and how to tell it of changes by kind. */
function start() {
  const handlers = new Map<string, (key: string, projected: unknown) => void>();
  const watch = (kind: { plural: string }, { onChange }: { onChange: (key: string, projected: unknown) => void }) => {
    handlers.set(kind.plural, onChange);
    return { get: () => undefined, list: () => [], entries: () => [] };
  };
  const ignored = () => undefined;
  const view = new View({
    kubernetes: { watch } as never,
    poolNamespace: 'kappa-functions',
    signal: new AbortController().signal,
    nowMs: () => 0,
    events: { functionChanged: ignored, podsOfFunctionChanged: ignored, aliasChanged: ignored, poolChanged: ignored },
  });
  const tell = (plural: string, name: string, projected: unknown) =>
    handlers.get(plural)?.(`kappa-functions/${name}`, projected);
  return { view, tell };
}

test('what was seen of a pool goes with it, but not before its last pod', () => {
  const { view, tell } = start();
  const pod: Partial<PodSummary> = { name: 'p-1', uid: 'u', pool: 'image-1', ordinal: 1, zone: '', claim: null };
  const kept = view.poolMemories.of('image-1');
  tell('pods', 'p-1', pod);
  tell('pools', 'image-1', null);
  expect(view.poolMemories.of('image-1')).toBe(kept);
  tell('pods', 'p-1', null);
  expect(view.poolMemories.of('image-1')).not.toBe(kept);
});

test('one without pods goes at once', () => {
  const { view, tell } = start();
  const kept = view.poolMemories.of('image-1');
  tell('pools', 'image-1', null);
  expect(view.poolMemories.of('image-1')).not.toBe(kept);
});
