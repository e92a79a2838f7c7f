import { expect, test } from '@jest/globals';
import { rawHeadersOf, type SignedRequest, type ToSign, testKey } from './testing.ts';
import { authenticator, nowMs, refusalOf, signed, withAuthorization, withHeaders } from './testing-authenticator.ts';

/* Who may not come in hears why. */

test.each<[string, ToSign, string, RegExp]>([
  ['an unknown key', { key: { ...testKey, accessKeyId: 'NOBODY' } }, 'UnrecognizedClientException', /security token/],
  ['a wrong secret', { key: { ...testKey, secretAccessKey: 'wrong' } }, 'InvalidSignatureException', /does not match/],
  ['another region', { region: 'eu-west-1' }, 'InvalidSignatureException', /valid region: 'us-east-1'/],
  ['another service', { service: 's3' }, 'InvalidSignatureException', /correct service: 'lambda'/],
  [
    'an old signature',
    { atMs: nowMs - 301_000 },
    'InvalidSignatureException',
    /^Signature expired: 20261121T115459Z is now earlier than 20261121T115500Z \(20261121T120000Z - 5 min\.\)$/,
  ],
  ['an early signature', { atMs: nowMs + 301_000 }, 'InvalidSignatureException', /^Signature not yet current/],
  [
    'session credentials',
    { headers: { 'x-amz-security-token': 'x' } },
    'UnrecognizedClientException',
    /security token/,
  ],
  [
    'a hash in capitals',
    { headers: { 'x-amz-content-sha256': 'A'.repeat(64) } },
    'InvalidSignatureException',
    /lower-case hex/,
  ],
  [
    'a streaming body',
    { headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' } },
    'InvalidSignatureException',
    /not supported/,
  ],
])('%s', async (_what, request, code, message) => {
  expect(refusalOf(await signed(request))).toMatchObject({
    code,
    status: 403,
    message: expect.stringMatching(message),
  });
});

test('nobody at all', () => {
  expect(refusalOf({ method: 'POST', target: '/', headers: { host: 'x' } })).toEqual({
    code: 'MissingAuthenticationTokenException',
    status: 403,
    message: 'Missing Authentication Token',
  });
  const presigned = '/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00';
  expect(refusalOf({ method: 'POST', target: presigned, headers: {} })).toMatchObject({
    code: 'IncompleteSignatureException',
    status: 400,
    message: expect.stringMatching(/^AWS query-string parameters must include/),
  });
});

test.each<[string, (request: SignedRequest) => SignedRequest]>([
  ['another scheme', (request) => withHeaders(request, { authorization: 'Bearer token' })],
  [
    'another algorithm',
    (request) => withAuthorization(request, (text) => text.replace('HMAC-SHA256', 'ECDSA-P256-SHA256')),
  ],
  ['no fields', (request) => withHeaders(request, { authorization: 'AWS4-HMAC-SHA256' })],
  ['no signature', (request) => withAuthorization(request, (text) => text.replace(/, Signature=.*/, ''))],
  ['no credential', (request) => withAuthorization(request, (text) => text.replace(/Credential=[^,]*, /, ''))],
  ['no list of headers', (request) => withAuthorization(request, (text) => text.replace(/SignedHeaders=[^,]*, /, ''))],
  ['a short credential', (request) => withAuthorization(request, (text) => text.replace('/lambda', ''))],
  ['a short signature', (request) => withAuthorization(request, (text) => text.slice(0, -1))],
  [
    'an upper-case signature',
    (request) => withAuthorization(request, (text) => text.replace(/.{64}$/, 'A'.repeat(64))),
  ],
  ['a field twice', (request) => withAuthorization(request, (text) => `${text}, Signature=${'0'.repeat(64)}`)],
  [
    'a header twice in the list',
    (request) => withAuthorization(request, (text) => text.replace('host;', 'host;host;')),
  ],
  ['the host not signed', (request) => withAuthorization(request, (text) => text.replace('host;', ''))],
  ['the date not signed', (request) => withAuthorization(request, (text) => text.replace(';x-amz-date', ''))],
  ['an x-amz header not signed', (request) => withHeaders(request, { 'X-Amz-Log-Type': 'Tail' })],
  ['no date', ({ headers: { 'x-amz-date': _date, ...headers }, ...request }) => ({ ...request, headers })],
  ['a date of another form', (request) => withHeaders(request, { 'x-amz-date': '2026-11-21T12:00:00Z' })],
  [
    'a date that is none',
    (request) =>
      withAuthorization(withHeaders(request, { 'x-amz-date': '20269999T120000Z' }), (text) =>
        text.replace('20261121', '20269999'),
      ),
  ],
  ['a signature in the query too', (request) => ({ ...request, target: `${request.target}?X-Amz-Signature=0` })],
  ['endless fields', (request) => withAuthorization(request, (text) => `${text}${','.repeat(5000)}`)],
])('IncompleteSignature: %s', async (_what, change) => {
  expect(refusalOf(change(await signed()))).toMatchObject({ code: 'IncompleteSignatureException', status: 400 });
});

test('two Authorization headers, two dates', async () => {
  const { method, target, headers } = await signed();
  for (const name of ['authorization', 'x-amz-date']) {
    const rawHeaders = [...rawHeadersOf(headers), name, headers[name] ?? ''];
    expect(() => authenticator.begin({ method, target, rawHeaders })).toThrow(
      expect.objectContaining({ code: 'IncompleteSignatureException' }),
    );
  }
});

test('another day than the scope’s', async () => {
  const request = withAuthorization(await signed(), (text) => text.replace('/20261121/', '/20261120/'));
  expect(refusalOf(request)).toMatchObject({
    code: 'InvalidSignatureException',
    message: expect.stringContaining('scope'),
  });
});
