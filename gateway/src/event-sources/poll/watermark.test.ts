import { expect, test } from '@jest/globals';

import { Watermark } from './watermark.ts';

/** Reads `abcdef` and ends them in the given order; answers the mark after each. */
function marksOf(order: string): string {
  const watermark = new Watermark();
  const places = new Map([...'abcdef'].map((id) => [id, watermark.read(id)]));
  return [...order]
    .map((id) => {
      watermark.end(places.get(id) ?? -1);
      return watermark.mark ?? '-';
    })
    .join('');
}

test.each<[reason: string, order: string, want: string]>([
  ['in order', 'abcdef', 'abcdef'],
  ['the first one last', 'fedcba', '-----f'],
  ['two lanes', 'acbdfe', 'aacddf'],
  ['one that is stuck holds it', 'acdef', 'aaaaa'],
  ['twice is once', 'aabb', 'aabb'],
])('%s', (_reason, order, want) => {
  expect(marksOf(order)).toBe(want);
});

test('it never runs ahead, whatever the order', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  for (let run = 0; run < 200; run += 1) {
    const watermark = new Watermark();
    const open = new Map<number, number>();
    const ended = new Set<number>();
    let next = 0;
    for (let step = 0; step < 60; step += 1) {
      if (random(2) === 0 || open.size === 0) {
        open.set(next, watermark.read(String(next)));
        next += 1;
      } else {
        const [id = 0, place = 0] = [...open][random(open.size)] ?? [];
        watermark.end(place);
        open.delete(id);
        ended.add(id);
      }
      const mark = Number(watermark.mark ?? -1);
      for (let id = 0; id <= mark; id += 1) expect(ended.has(id)).toBe(true);
      if (mark + 1 < next) expect(ended.has(mark + 1)).toBe(false);
      expect(watermark.openCount).toBe(open.size);
      expect(watermark.size).toBe(next - mark - 1);
    }
  }
});
