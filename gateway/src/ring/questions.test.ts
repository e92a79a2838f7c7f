import { afterEach, expect, test } from '@jest/globals';

import { fn, TestRing } from './testing.ts';

let world: TestRing;
afterEach(() => world.stop());

const asked = async (name: string, question: string) =>
  (await world.get(name).ring.ask(Buffer.from(question))).map(String).sort();

test('every other gateway is asked; those that know no answer, or fail, are left out', async () => {
  world = new TestRing([fn('plain')]);
  const saying = (text: string) => ({ answer: async (question: Buffer) => Buffer.from(`${text} ${question}`) });
  await world.start('a', saying('a'));
  await world.start('b', saying('b'));
  await world.start('older'); // knows no questions
  await world.start('failing', { answer: () => Promise.reject(new Error('test')) });
  await world.settled();
  expect(await asked('a', 'who?')).toEqual(['b who?']);
  expect(await asked('older', 'who?')).toEqual(['a who?', 'b who?']);
  expect(world.get('a').problems).toEqual([]);
});

test('answers of megabytes arrive whole; questions count as no requests', async () => {
  world = new TestRing([fn('plain')]);
  await world.start('a');
  await world.start('b', { answer: async () => Buffer.alloc(3_000_000, 'x') });
  await world.settled();
  const [answer] = await world.get('a').ring.ask(Buffer.from('all'));
  expect(answer?.equals(Buffer.alloc(3_000_000, 'x'))).toBe(true);
  expect(world.get('a').ring.stats().forwarded).toEqual({ answered: 0, refused: 0, elsewhere: 0, lost: 0 });
  expect(world.get('b').ring.stats().received).toBe(0);
});

test('an answer that is too large is left out, and ends nobody’s connection', async () => {
  world = new TestRing([fn('plain')]);
  await world.start('a');
  await world.start('b', { answer: async (size) => Buffer.alloc(Number(String(size)), 'x') });
  await world.settled();
  expect(await asked('a', String(8 * 1024 * 1024 + 1))).toEqual([]);
  expect((await asked('a', String(8 * 1024 * 1024)))[0]).toHaveLength(8 * 1024 * 1024);
  expect(world.get('a').problems).toEqual([]);
});

test('who gives no answer in time is left out', async () => {
  world = new TestRing([fn('plain')]);
  await world.start('a');
  await world.start('b', { answer: async () => Buffer.from('b') });
  await world.start('silent', { answer: () => new Promise(() => undefined) });
  await world.settled();
  expect(await asked('a', 'who?')).toEqual(['b']);
});

test('alone there is nobody to ask', async () => {
  world = new TestRing([]);
  await world.start('a');
  expect(await asked('a', 'who?')).toEqual([]);
});
