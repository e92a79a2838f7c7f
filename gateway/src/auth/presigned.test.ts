import { expect, test } from '@jest/globals';
import type { SignedRequest, ToSign } from './testing.ts';
import { check, nowMs, refusalOf, signed, withHeaders } from './testing-authenticator.ts';

/* Signed in the query: whoever has the URL may use it, as it is, until it ends. */

const presigned = (request: ToSign = {}): Promise<SignedRequest> => signed({ expiresIn: 600, ...request });

test.each<[string, ToSign]>([
  ['the plain one', {}],
  ['without a body', { body: '', method: 'GET' }],
  ['with a query of its own', { query: { Qualifier: '$LATEST', a: ['2', '1', 'x y'] } }],
  ['with headers, of which the SDK puts some in the query', { headers: { 'x-amz-log-type': 'Tail', 'x-meta': 'a' } }],
  ['for a second', { expiresIn: 1 }],
  ['for a week', { expiresIn: 604_800 }],
  ['made six days ago', { expiresIn: 604_800, atMs: nowMs - 6 * 86_400_000 }],
  ['in its last second', { expiresIn: 600, atMs: nowMs - 600_000 }],
  ['by a clock that is 4 minutes ahead', { atMs: nowMs + 240_000 }],
])('a presigned URL is its key’s: %s', async (_what, request) => {
  const url = await presigned(request);
  for (const _again of [1, 2]) expect(check(url, request.body ?? '{"hello":"world"}').accessKeyId).toBe('AKKAPPATEST');
});

test('with a body that is not signed, as the SDK says it in the query', async () => {
  const url = await presigned({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
  expect(url.target).toContain('x-amz-content-sha256=UNSIGNED-PAYLOAD');
  expect(check(url, 'whatever').accessKeyId).toBe('AKKAPPATEST');
});

const edit = (from: string | RegExp, to: string) => (request: SignedRequest) => ({
  ...request,
  target: request.target.replace(from, to),
});

test.each<[string, ToSign, (request: SignedRequest) => SignedRequest]>([
  ['another method', {}, (request) => ({ ...request, method: 'GET' })],
  ['another path', {}, edit('/f/', '/g/')],
  ['another host', {}, (request) => withHeaders(request, { host: 'other' })],
  ['a parameter more', {}, (request) => ({ ...request, target: `${request.target}&Qualifier=2` })],
  ['a parameter less', { query: { Qualifier: '1' } }, edit(/Qualifier=1&?/, '')],
  ['another value', { query: { Qualifier: '1' } }, edit('Qualifier=1', 'Qualifier=2')],
  ['a longer life', {}, edit('X-Amz-Expires=600', 'X-Amz-Expires=601')],
  ['another time', {}, edit('20261121T120000Z', '20261121T120001Z')],
  ['another signature', {}, edit(/X-Amz-Signature=..../, 'X-Amz-Signature=0000')],
  ['another region', { region: 'eu-west-1' }, (request) => request],
  ['another service', { service: 's3' }, (request) => request],
  ['the scope of another day', {}, edit('%2F20261121%2F', '%2F20261120%2F')],
  ['a replay after its end', { atMs: nowMs - 601_000 }, (request) => request],
  ['a time to come', { atMs: nowMs + 301_000 }, (request) => request],
  ['a header that it does not sign, but names', {}, edit('SignedHeaders=host', 'SignedHeaders=host%3Bx-meta')],
])('InvalidSignature: %s', async (_what, request, change) => {
  expect(refusalOf(change(await presigned(request)))).toMatchObject({ code: 'InvalidSignatureException', status: 403 });
});

test.each<[string, (request: SignedRequest) => SignedRequest]>([
  ['no signature', edit(/X-Amz-Signature=[^&]*&?/, '')],
  ['no algorithm', edit(/X-Amz-Algorithm=[^&]*&?/, '')],
  ['no credential', edit(/X-Amz-Credential=[^&]*&?/, '')],
  ['no date', edit(/X-Amz-Date=[^&]*&?/, '')],
  ['no end', edit(/X-Amz-Expires=[^&]*&?/, '')],
  ['no list of headers', edit(/X-Amz-SignedHeaders=[^&]*&?/, '')],
  ['another algorithm', edit('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256')],
  ['no life', edit('X-Amz-Expires=600', 'X-Amz-Expires=0')],
  ['more than a week', edit('X-Amz-Expires=600', 'X-Amz-Expires=604801')],
  ['a life that is no number', edit('X-Amz-Expires=600', 'X-Amz-Expires=6e2')],
  ['a date of another form', edit('20261121T120000Z', '2026-11-21T12%3A00%3A00Z')],
  ['a short credential', edit('%2Flambda%2F', '%2F')],
  ['a short signature', edit(/X-Amz-Signature=../, 'X-Amz-Signature=')],
  ['the host not signed', edit('SignedHeaders=host', 'SignedHeaders=x-meta')],
  ['a parameter twice', (request) => ({ ...request, target: `${request.target}&X-Amz-Expires=600` })],
  ['a parameter in other letters', edit('X-Amz-Expires', 'x-amz-expires')],
  ['an encoded name in other letters', (request) => ({ ...request, target: `${request.target}&X-Amz-dat%65=1` })],
  ['an x-amz header that is not signed', (request) => withHeaders(request, { 'x-amz-invocation-type': 'Event' })],
  ['the token in a header', (request) => withHeaders(request, { 'X-Amz-Security-Token': 'x' })],
  ['a signed header, too', (request) => withHeaders(request, { authorization: 'AWS4-HMAC-SHA256 Credential=x' })],
])('IncompleteSignature: %s', async (_what, change) => {
  expect(refusalOf(change(await presigned()))).toMatchObject({ code: 'IncompleteSignatureException', status: 400 });
});

test('an end that is over is told with both clocks', async () => {
  expect(refusalOf(await presigned({ atMs: nowMs - 601_000 })).message).toBe(
    'Signature expired: 20261121T114959Z is now earlier than 20261121T115000Z (20261121T120000Z - 10 min.)',
  );
  expect(refusalOf(await presigned({ atMs: nowMs - 91_000, expiresIn: 90 })).message).toMatch(/ - 90 sec\.\)$/);
});

test('the body is part of it', async () => {
  expect(refusalOf(await presigned(), 'other')).toMatchObject({ code: 'InvalidSignatureException' });
});
