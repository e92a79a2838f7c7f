import { afterEach, expect, test } from '@jest/globals';

import { AnswerStream, type StreamedBody } from '../dispatch/answer-stream.ts';
import type { Outcome } from '../dispatch/types.ts';
import { ServiceException } from '../errors.ts';
import { STREAM_WINDOW_BYTES } from '../link/generated/frames.ts';
import { answered, report } from '../testing.ts';
import { rankNames } from './rendezvous.ts';
import { fn, invocationOf, TestRing, until } from './testing.ts';

const names = ['a', 'b'];
const plain = fn('plain');
const [owner = '', other = ''] = rankNames('default/plain', names);
const stream = { windowBytes: STREAM_WINDOW_BYTES, maxBytes: 20_000_000 };

let world: TestRing;
afterEach(() => world.stop());

/** A function at the owner whose answer the test writes, called through the other gateway. */
async function call(): Promise<{ source: AnswerStream; credits: number[]; outcome: Outcome; body: StreamedBody }> {
  world = new TestRing([plain]);
  await Promise.all(names.map((name) => world.start(name)));
  await world.settled();
  const credits: number[] = [];
  const source = new AnswerStream((bytes) => credits.push(bytes));
  world.get(owner).runner = async (_target, invocation) => {
    expect(invocation.stream).toEqual(stream);
    return answered('', { body: source, contentType: 'text/plain' });
  };
  const outcome = await world.get(other).ring.router.invoke(plain, invocationOf('{}', { stream }));
  if (!outcome.body) throw new Error('the answer came whole');
  return { source, credits, outcome, body: outcome.body };
}

/** All that is left of an answer. */
async function restOf(body: StreamedBody): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let piece = await body.next(); piece !== null; piece = await body.next()) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('each piece passes before the next one is written', async () => {
  const { source, outcome, body } = await call();
  expect(outcome).toMatchObject({ kind: 'response', contentType: 'text/plain', start: 'warm' });
  source.push(Buffer.from('first'));
  expect(String(await body.next())).toBe('first');
  source.push(Buffer.from('second'));
  expect(String(await body.next())).toBe('second');
  source.finish({ kind: 'complete' });
  expect(await body.next()).toBeNull();
  expect(body.end).toEqual({ kind: 'complete' });
  expect(await outcome.report).toEqual(report);
});

test('a reader that stops stops the pod: between both gateways lies a window each', async () => {
  const { source, credits, body } = await call();
  const piece = Buffer.alloc(STREAM_WINDOW_BYTES / 4, 'x');
  const written = 16;
  for (let count = 0; count < written; count += 1) source.push(piece);
  const allowed = (): number => credits.reduce((sum, bytes) => sum + bytes, 0);
  await until(() => allowed() === STREAM_WINDOW_BYTES); // one window was sent, one piece more was taken and waits
  for (let turns = 0; turns < 50; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    expect(allowed()).toBe(STREAM_WINDOW_BYTES);
  }
  source.finish({ kind: 'complete' });
  expect((await restOf(body)).length).toBe(written * piece.length);
});

test('the function’s error after it has begun is the answer’s end', async () => {
  const { source, body } = await call();
  source.push(Buffer.from('part'));
  source.finish({
    kind: 'failed',
    errorType: 'Runtime.ExitError',
    payload: Buffer.from('{"errorType":"Runtime.ExitError"}'),
  });
  expect(String(await restOf(body))).toBe('part');
  expect(body.end).toEqual({
    kind: 'failed',
    errorType: 'Runtime.ExitError',
    payload: Buffer.from('{"errorType":"Runtime.ExitError"}'),
  });
});

test('a pod that the owner has lost is an error of the platform here, too', async () => {
  const { source, body } = await call();
  source.finish({ kind: 'lost', error: new ServiceException('The link to the pod was lost.') });
  expect(await body.next()).toBeNull();
  expect(body.end).toMatchObject({
    kind: 'lost',
    error: { code: 'ServiceException', message: expect.stringContaining('lost') },
  });
});

test('an owner that dies in the middle never gives a clean end', async () => {
  const { source, body } = await call();
  source.push(Buffer.from('part'));
  expect(String(await body.next())).toBe('part');
  await world.kill(owner);
  expect(await body.next()).toBeNull();
  expect(body.end).toMatchObject({ kind: 'lost' });
});

test('a caller that goes away frees the pod to write on', async () => {
  const { source, credits, body } = await call();
  body.discard();
  for (let count = 0; count < 32; count += 1) source.push(Buffer.alloc(STREAM_WINDOW_BYTES / 4));
  await until(() => credits.reduce((sum, bytes) => sum + bytes, 0) >= STREAM_WINDOW_BYTES * 7);
  source.finish({ kind: 'complete' });
  expect(await body.next()).toBeNull();
});

test('a gateway that does not know streams answers whole', async () => {
  world = new TestRing([plain]);
  await Promise.all(names.map((name) => world.start(name)));
  await world.settled();
  const outcome = await world.get(other).ring.router.invoke(plain, invocationOf('{}', { stream }));
  expect(outcome.body ?? null).toBeNull();
  expect(String(outcome.payload)).toBe(owner);
});
