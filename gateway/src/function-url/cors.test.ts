import { expect, test } from '@jest/globals';
import type { FunctionHttpCors } from '@kappa/crds/function';

import { isPreflight, preflightHeaders, withCors } from './cors.ts';

const cors: FunctionHttpCors = {
  allowOrigins: ['https://a.example'],
  allowMethods: ['GET', 'POST'],
  allowHeaders: ['x-one', 'content-type'],
  exposeHeaders: ['x-two'],
  allowCredentials: false,
  maxAgeSeconds: 60,
};
const preflight = { method: 'OPTIONS', origin: 'https://a.example', requestMethod: 'POST', requestHeaders: 'x-three' };

test.each<[reason: string, request: typeof preflight | object, want: boolean]>([
  ['a preflight', preflight, true],
  ['OPTIONS alone is the function’s', { ...preflight, requestMethod: undefined }, false],
  ['another method', { ...preflight, method: 'POST' }, false],
  ['without an origin', { ...preflight, origin: undefined }, false],
])('isPreflight: %s', (_reason, request, want) => {
  expect(isPreflight(request as typeof preflight)).toBe(want);
});

test('preflight of an allowed origin', () => {
  expect(preflightHeaders(cors, preflight)).toEqual([
    ...['Access-Control-Allow-Origin', 'https://a.example', 'Vary', 'Origin'],
    ...['Access-Control-Allow-Methods', 'GET,POST'],
    ...['Access-Control-Allow-Headers', 'x-one,content-type'],
    ...['Access-Control-Max-Age', '60'],
  ]);
});

test.each(['https://b.example', 'https://a.example.evil', 'null', 'http://a.example'])(
  'origin %s is not allowed: nothing allows it',
  (origin) => {
    expect(preflightHeaders(cors, { ...preflight, origin })).toEqual(['Vary', 'Origin']);
    expect(withCors(cors, origin, ['X-A', '1'])).toEqual(['X-A', '1', 'Vary', 'Origin']);
  },
);

test('any origin is *, with credentials it is the origin itself', () => {
  const any = { ...cors, allowOrigins: ['*'] };
  expect(preflightHeaders(any, preflight)).toContain('*');
  expect(withCors({ ...any, allowCredentials: true, exposeHeaders: [] }, 'https://x.example', [])).toEqual([
    ...['Access-Control-Allow-Origin', 'https://x.example'],
    ...['Access-Control-Allow-Credentials', 'true', 'Vary', 'Origin'],
  ]);
});

test('any method and header are *, with credentials they are those that were asked for', () => {
  const any = { ...cors, allowMethods: ['*' as const], allowHeaders: ['*'] };
  expect(preflightHeaders(any, preflight)).toEqual(
    expect.arrayContaining(['Access-Control-Allow-Methods', '*', 'Access-Control-Allow-Headers']),
  );
  const withCredentials = preflightHeaders({ ...any, allowCredentials: true }, preflight);
  expect(withCredentials).toEqual(expect.arrayContaining(['POST', 'x-three']));
  expect(withCredentials).not.toContain('*');
});

test('what the Function says replaces what its code says', () => {
  expect(withCors(cors, 'https://a.example', ['access-control-allow-origin', '*', 'X-A', '1'])).toEqual([
    ...['X-A', '1', 'Access-Control-Allow-Origin', 'https://a.example', 'Vary', 'Origin'],
    ...['Access-Control-Expose-Headers', 'x-two'],
  ]);
});

test('a header name that is none is left out', () => {
  const odd = { ...cors, allowHeaders: ['x-ключ', 'x-one', 'a\r\nb: c'], exposeHeaders: ['x-ключ'] };
  expect(preflightHeaders(odd, preflight)).toEqual(
    expect.arrayContaining(['Access-Control-Allow-Headers', 'x-one', 'Access-Control-Max-Age']),
  );
  expect(withCors(odd, 'https://a.example', [])).not.toContain('Access-Control-Expose-Headers');
});

test('without CORS or without an Origin the answer stays as it is', () => {
  const headers = ['Access-Control-Allow-Origin', '*'];
  expect(withCors(null, 'https://a.example', headers)).toBe(headers);
  expect(withCors(cors, undefined, headers)).toBe(headers);
});
