import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { makeAuthenticator, openDoor } from './authenticator.ts';
import { rawHeadersOf, type SignedRequest, type ToSign } from './testing.ts';
import {
  authenticator,
  body,
  check,
  nowMs,
  refusalOf,
  signed,
  withAuthorization,
  withHeaders,
} from './testing-authenticator.ts';

describe('a request that is signed well is its key’s', () => {
  test.each<[string, ToSign]>([
    ['the plain one', {}],
    ['without a declared body', { declaresBody: false }],
    ['without a body', { body: '' }],
    ['without either', { body: '', declaresBody: false }],
    [
      'an ARN in the path',
      { path: '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations' },
    ],
    ['a path with empty and dotted segments', { path: '/fn//team/./f/x/../y/' }],
    ['the root', { path: '/' }],
    ['a qualifier', { query: { Qualifier: '$LATEST' } }],
    [
      'queries with signs, empty values and repeated names',
      { query: { b: ['2', '1', ''], a: "x y+z/!'()*~é", A: '=&' } },
    ],
    ['headers with spaces', { headers: { 'x-amz-client-context': '  a   b  ', 'content-type': ' application/json ' } }],
    ['a clock that is 4 minutes off', { atMs: nowMs - 240_000 }],
    ['a clock that is 4 minutes ahead', { atMs: nowMs + 240_000 }],
    ['the day before', { atMs: nowMs - 299_000 }],
    ['a body outside the signature', { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }],
  ])('%s', async (_what, request) => {
    expect(check(await signed(request), request.body ?? body)).toEqual({ accessKeyId: 'AKKAPPATEST', accounts: null });
  });

  test('whatever the path, query, header and body are', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 });
    const segment = text.map(encodeURIComponent);
    const query = fc.dictionary(
      text.filter((name) => name !== '' && name !== '__proto__'),
      fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
      { maxKeys: 4 },
    );
    const property = fc.asyncProperty(
      fc.array(segment, { maxLength: 4 }),
      query,
      fc.string({ unit: fc.constantFrom(...'ab \t.,"=') }),
      text,
      fc.boolean(),
      async (segments, names, header, sent, declaresBody) => {
        const request = {
          path: `/${segments.join('/')}`,
          query: names,
          headers: { 'x-amz-meta': header },
          body: sent,
          declaresBody,
        };
        expect(check(await signed(request), sent).accessKeyId).toBe('AKKAPPATEST');
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  test('whatever form a client gives the wire: plus for a space, other characters encoded', async () => {
    const request = await signed({ query: { a: 'x y', b: '(1)~' } });
    for (const query of ['a=x%20y&b=(1)~', 'a=x+y&b=%281%29%7E', 'b=%281%29~&a=x%20y', '&a=x%20y&&b=(1)~'])
      expect(check({ ...request, target: `/2015-03-31/functions/f/invocations?${query}` }).accessKeyId).toBe(
        'AKKAPPATEST',
      );
  });
});

test('a body outside the signature may be another one, and nothing else', async () => {
  const request = await signed({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
  expect(check(request, 'other').accessKeyId).toBe('AKKAPPATEST');
  expect(refusalOf({ ...request, method: 'PUT' })).toMatchObject({ code: 'InvalidSignatureException' });
  const claims = withHeaders(await signed(), { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' });
  expect(refusalOf(claims)).toMatchObject({ code: 'InvalidSignatureException' });
});

describe('what was changed on the way is refused', () => {
  const wrong = { code: 'InvalidSignatureException', status: 403 };
  test.each<[string, (request: SignedRequest) => SignedRequest]>([
    ['the method', (request) => ({ ...request, method: 'PUT' })],
    ['the path', (request) => ({ ...request, target: request.target.replace('/f/', '/g/') })],
    ['an encoded path', (request) => ({ ...request, target: request.target.replace('/f/', '/%66/') })],
    ['the query', (request) => ({ ...request, target: `${request.target}&Qualifier=2` })],
    ['a query value', (request) => ({ ...request, target: request.target.replace('=1', '=2') })],
    ['a signed header', (request) => withHeaders(request, { 'x-amz-invocation-type': 'Event' })],
    ['the host', (request) => withHeaders(request, { host: 'other' })],
    ['the time', (request) => withHeaders(request, { 'x-amz-date': '20261121T120001Z' })],
    ['the signature', (request) => withAuthorization(request, (text) => text.replace(/.{4}$/, '0000'))],
    ['the list of headers', (request) => withAuthorization(request, (text) => text.replace('content-type;', ''))],
  ])('%s', async (_what, change) => {
    const headers = { 'x-amz-invocation-type': 'RequestResponse', 'content-type': 'application/json' };
    expect(refusalOf(change(await signed({ query: { Qualifier: '1' }, headers })))).toMatchObject(wrong);
  });

  test.each([true, false])('the body (declared: %s)', async (declaresBody) => {
    const request = await signed({ declaresBody });
    expect(refusalOf(request, `${body} `)).toMatchObject(wrong);
    expect(refusalOf(request, '')).toMatchObject(wrong);
  });

  test('a declared hash with its body', async () => {
    const other = await signed({ body: 'other' });
    const request = withHeaders(await signed(), {
      'x-amz-content-sha256': other.headers['x-amz-content-sha256'] ?? '',
    });
    expect(refusalOf(request, 'other')).toMatchObject(wrong);
  });
});

test('while no key is known, nobody is told that his is wrong', async () => {
  const { method, target, headers } = await signed();
  const early = makeAuthenticator({
    keys: { find: () => undefined, isKnown: () => false },
    region: 'us-east-1',
    now: () => nowMs,
  });
  expect(() => early.begin({ method, target, rawHeaders: rawHeadersOf(headers) })).toThrow(
    expect.objectContaining({ code: 'ServiceException', status: 500, retryAfterSeconds: 1 }),
  );
});

test('repeated headers are joined in their order', async () => {
  const { method, target, headers } = await signed({ headers: { 'x-amz-meta': 'a,b' } });
  const rawHeaders = rawHeadersOf(headers).flatMap((text, at, all) =>
    text === 'x-amz-meta' ? [text, 'a', text] : all[at - 1] === 'x-amz-meta' ? ['b'] : [text],
  );
  const claim = authenticator.begin({ method, target, rawHeaders });
  claim.push(Buffer.from(body));
  expect(claim.confirm().accessKeyId).toBe('AKKAPPATEST');
});

test('the open door asks nobody', () => {
  expect(openDoor.begin({ method: 'POST', target: '/', rawHeaders: [] }).confirm()).toEqual({
    accessKeyId: null,
    accounts: null,
  });
});
