import { expect, test } from '@jest/globals';

import { ServiceException } from '../errors.ts';
import { STREAM_WINDOW_BYTES } from '../link/generated/frames.ts';
import { AnswerStream } from './answer-stream.ts';

const half = STREAM_WINDOW_BYTES / 2;

/** A stream and what it has allowed so far. */
function makeStream() {
  const credits: number[] = [];
  const stream = new AnswerStream((bytes) => credits.push(bytes));
  return { stream, credits };
}

test('pieces come in order, then the end', async () => {
  const { stream } = makeStream();
  stream.push(Buffer.from('a'));
  stream.push(Buffer.from('b'));
  stream.finish({ kind: 'complete' });
  expect(stream.end).toBeNull();
  expect([await stream.next(), await stream.next(), await stream.next()].map(String)).toEqual(['a', 'b', 'null']);
  expect(stream.end).toEqual({ kind: 'complete' });
});

test('who waits gets the next piece, and the end', async () => {
  const { stream } = makeStream();
  const piece = stream.next();
  stream.push(Buffer.from('a'));
  expect(String(await piece)).toBe('a');
  const end = stream.next();
  stream.finish({ kind: 'lost', error: new ServiceException('gone') });
  expect(await end).toBeNull();
  expect(stream.end?.kind).toBe('lost');
});

test('nothing more is allowed while nobody reads, and what was handed out counts when the next is asked for', async () => {
  const { stream, credits } = makeStream();
  stream.push(Buffer.alloc(half));
  stream.push(Buffer.alloc(half));
  expect(credits).toEqual([]);
  await stream.next();
  expect(credits).toEqual([]);
  await stream.next();
  expect(credits).toEqual([half]);
});

test('small pieces share a credit', async () => {
  const { stream, credits } = makeStream();
  for (let read = 0; read < half + 1000; read += 1000) {
    stream.push(Buffer.alloc(1000));
    await stream.next();
  }
  expect(credits).toHaveLength(1);
});

test('what nobody wants is allowed again and never kept', async () => {
  const { stream, credits } = makeStream();
  stream.push(Buffer.alloc(half));
  const waiting = stream.next().then(() => stream.next());
  await Promise.resolve();
  stream.discard();
  stream.push(Buffer.alloc(half));
  stream.push(Buffer.alloc(half));
  expect(credits).toEqual([half, half, half]);
  stream.finish({ kind: 'complete' });
  expect(await waiting).toBeNull();
});

test('only the first end counts, and nothing comes after it', async () => {
  const { stream } = makeStream();
  stream.finish({ kind: 'failed', errorType: 'E', payload: Buffer.from('{}') });
  stream.finish({ kind: 'complete' });
  stream.push(Buffer.from('late'));
  expect(await stream.next()).toBeNull();
  expect(stream.end?.kind).toBe('failed');
});
