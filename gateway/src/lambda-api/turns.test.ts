import { expect, test } from '@jest/globals';

import { Turns } from './turns.ts';

test('one at a time, in the order of asking', async () => {
  const turns = new Turns();
  const steps: string[] = [];
  const work = async (name: string): Promise<void> => {
    const end = await turns.take();
    steps.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    steps.push(`${name} ends`);
    end();
    end();
  };
  await Promise.all(['a', 'b', 'c'].map(work));
  expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
