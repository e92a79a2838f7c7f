import { describe, expect, test } from '@jest/globals';

import { AnswerStream } from '../dispatch/answer-stream.ts';
import { ServiceException } from '../errors.ts';
import { httpIntegrationType, parseWholePrelude, preludeMaxBytes } from './prelude.ts';
import { streamUrlAnswer } from './streamed.ts';

const nulls = '\0'.repeat(8);

/** What becomes of pieces; a function that goes on has no end. */
async function answerOf(pieces: readonly string[], end = true, contentType = httpIntegrationType) {
  const lost: unknown[] = [];
  const body = new AnswerStream(() => undefined);
  for (const piece of pieces) body.push(Buffer.from(piece, 'latin1'));
  if (end) body.finish({ kind: 'complete' });
  const result = await streamUrlAnswer(body, contentType, (err) => lost.push(err));
  if (result.kind !== 'answer') return { body, lost, result, answer: undefined, rest: '' };
  let rest = '';
  if (end) {
    for (let piece = await result.answer.source.next(); piece !== null; piece = await result.answer.source.next())
      rest += piece.toString('latin1');
  }
  return { body, lost, result, answer: result.answer, rest };
}

test.each<[reason: string, pieces: string[], want: { status: number; headers: string[]; rest: string }]>([
  [
    'in one piece',
    [`{"statusCode":201,"headers":{"Content-Type":"text/html","x-a":"b"},"cookies":["a=1"]}${nulls}body`],
    { status: 201, headers: ['Content-Type', 'text/html', 'x-a', 'b', 'Set-Cookie', 'a=1'], rest: 'body' },
  ],
  [
    'byte by byte',
    [...`{"statusCode":404}${nulls}ab`],
    { status: 404, headers: ['Content-Type', 'application/octet-stream'], rest: 'ab' },
  ],
  ['nothing said', [`{}${nulls}`], { status: 200, headers: ['Content-Type', 'application/octet-stream'], rest: '' }],
  [
    'nulls in the body are the body’s',
    [`{}${nulls}a${nulls}b`],
    { status: 200, headers: ['Content-Type', 'application/octet-stream'], rest: `a${nulls}b` },
  ],
  [
    'framing stays Kappa’s',
    [`{"headers":{"content-length":"3","transfer-encoding":"x","connection":"close","content-type":"a/b"}}${nulls}x`],
    { status: 200, headers: ['content-type', 'a/b'], rest: 'x' },
  ],
])('a prelude: %s', async (_reason, pieces, { status, headers, rest }) => {
  const got = await answerOf(pieces);
  expect(got.answer).toMatchObject({ status, headers });
  expect(got.rest).toBe(rest);
});

test('the head is known before the function writes the body', async () => {
  const { answer, body } = await answerOf([`{"statusCode":202}${nulls}`], false);
  expect(answer?.status).toBe(202);
  body.push(Buffer.from('later'));
  expect(String(await answer?.source.next())).toBe('later');
});

test('without a prelude it is 200 with the function’s own type', async () => {
  expect((await answerOf(['a', 'b'], true, 'text/event-stream')).answer).toMatchObject({
    status: 200,
    headers: ['Content-Type', 'text/event-stream'],
  });
});

test.each<[reason: string, pieces: string[], want: RegExp]>([
  ['no separator', ['{"statusCode":200}'], /8 null bytes/],
  ['no JSON', [`hello${nulls}`], /not JSON/],
  ['no object', [`[1]${nulls}`], /not an object/],
  ['a status that is none', [`{"statusCode":99}${nulls}`], /statusCode/],
  ['a header that would begin another answer', [`{"headers":{"a":"b\\r\\nc: d"}}${nulls}`], /header/],
  ['too long', ['x'.repeat(preludeMaxBytes), 'xx'], /longer than/],
])('what is no prelude is told, never sent: %s', async (_reason, pieces, want) => {
  const { result } = await answerOf(pieces);
  expect(result).toMatchObject({ kind: 'malformed', problem: expect.stringMatching(want) });
});

describe('an answer that has begun and is not complete breaks off', () => {
  test('by the function', async () => {
    const { answer, body, lost } = await answerOf([`{}${nulls}part`], false);
    body.finish({ kind: 'failed', errorType: 'Error', payload: Buffer.from('{}') });
    expect(String(await answer?.source.next())).toBe('part');
    await expect(answer?.source.next()).rejects.toThrow(/failed/);
    expect(lost).toEqual([]);
  });

  test('by the platform, which is told', async () => {
    const { answer, body, lost } = await answerOf(['part'], false, 'text/plain');
    const error = new ServiceException('gone');
    body.finish({ kind: 'lost', error });
    await answer?.source.next();
    await expect(answer?.source.next()).rejects.toBe(error);
    expect(lost).toEqual([error]);
  });
});

test('one that ends before its head has an error of its own', async () => {
  const body = new AnswerStream(() => undefined);
  body.push(Buffer.from('{"statusCode":'));
  body.finish({ kind: 'failed', errorType: 'Runtime.ExitError', payload: Buffer.from('{}') });
  expect(await streamUrlAnswer(body, httpIntegrationType, () => undefined)).toMatchObject({
    kind: 'ended',
    end: { errorType: 'Runtime.ExitError' },
  });
});

test('an answer with a prelude that came whole', () => {
  const parsed = parseWholePrelude(Buffer.from(`{"statusCode":201}${nulls}body`));
  expect(parsed).toMatchObject({ kind: 'answer', answer: { status: 201, body: Buffer.from('body') } });
  expect(parseWholePrelude(Buffer.from('{}')).kind).toBe('malformed');
});
