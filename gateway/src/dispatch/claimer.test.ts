import { expect, test } from '@jest/globals';

import { Claimer, type ClaimerDeps } from './claimer.ts';
import type { Packed } from './pod-talk.ts';
import { makeTarget } from './testing.ts';

/** A claimer on one pod, and what becomes of the claim. */
async function claim(layers: readonly string[], knowsLayers: boolean) {
  const sent: Packed[] = [];
  const lost: Parameters<ClaimerDeps['lose']>[1][] = [];
  let isLetGo = false;
  const pod = {
    hasHolders: true,
    knowsLayers,
    specialize: (_slot: unknown, _epoch: number, packed: Packed) => sent.push(packed) > 0,
    letSlotGo: () => {
      isLetGo = true;
    },
  };
  const slot = { state: 'Claiming', request: null, pod, version: { owner: { cap: null, key: 'default/f' } } };
  const deps = {
    epochs: { next: () => 7 },
    terms: { isOpen: () => true, epochOf: () => 7 },
    initTimeoutMs: 10_000,
    maxUnpackedBytes: 1_000_000,
    code: async (sha256: string) => Buffer.from(`zip ${sha256}`),
    lose: (_slot: unknown, loss: Parameters<ClaimerDeps['lose']>[1]) => void lost.push(loss),
  };
  const target = makeTarget({ layers: layers.map((sha256) => ({ sha256, bytes: 5 })) });
  new Claimer(deps as unknown as ClaimerDeps).claim(slot as unknown as Parameters<Claimer['claim']>[0], target);
  await new Promise((resolve) => setImmediate(resolve));
  return { sent, lost, isLetGo };
}

test('layers go out behind the code, in the order of the head', async () => {
  const { sent, lost } = await claim(['b', 'a'], true);
  expect(lost).toEqual([]);
  const [packed] = sent;
  expect(JSON.parse(packed?.head ?? '')).toMatchObject({
    maxUnpackedBytes: 1_000_000,
    layers: [
      { sha256: 'b', bytes: 5 },
      { sha256: 'a', bytes: 5 },
    ],
  });
  expect(packed?.layers.map(String)).toEqual(['zip b', 'zip a']);
});

test('an agent that is older than layers gets no function with layers', async () => {
  const { sent, lost, isLetGo } = await claim(['a'], false);
  expect(sent).toEqual([]);
  expect(isLetGo).toBe(true);
  expect(lost).toMatchObject([{ mayRetry: false, error: { code: 'ServiceException', retryAfterSeconds: 5 } }]);
  expect(String(lost[0]?.error)).toMatch('older than layers');
});

test('and goes on to get those without, which are as ever', async () => {
  const { sent } = await claim([], false);
  expect(JSON.parse(sent[0]?.head ?? '')).not.toHaveProperty('layers');
});
