import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { makeUrlEvent, type UrlRequest } from './event.ts';

const request: UrlRequest = {
  method: 'GET',
  path: '/',
  query: '',
  rawHeaders: [],
  body: Buffer.alloc(0),
  protocol: 'HTTP/1.1',
  sourceIp: '127.0.0.1',
  requestId: 'id',
  traceId: 'Root=1-2-3;Lineage=a87bd80c:0',
  timeMs: Date.UTC(2020, 2, 12, 19, 3, 58, 390),
  caller: null,
};
const owner = { accountId: '000000000000', id: 'abc', domain: 'lambda-url.us-east-1.fn.localhost', port: 9000 };
const eventOf = (over: Partial<UrlRequest>) => JSON.parse(makeUrlEvent({ ...request, ...over }, owner).toString());

test('the whole event of a POST, payload format 2.0', () => {
  const event = eventOf({
    method: 'POST',
    path: '/my/path',
    query: 'parameter1=value1&parameter1=value2&parameter2=a%20b+c',
    rawHeaders: [
      'Host',
      'localhost:9000',
      'X-One',
      '1',
      'x-one',
      '2',
      'Cookie',
      'c1=a; c2=b',
      'User-Agent',
      'agent',
      'Content-Type',
      'application/json',
      'X-Amzn-Trace-Id',
      'Root=1-2-3',
    ],
    body: Buffer.from('{"a":"é"}'),
  });
  expect(event).toEqual({
    version: '2.0',
    routeKey: '$default',
    rawPath: '/my/path',
    rawQueryString: 'parameter1=value1&parameter1=value2&parameter2=a%20b+c',
    cookies: ['c1=a', 'c2=b'],
    headers: {
      host: 'localhost:9000',
      'x-one': '1,2',
      cookie: 'c1=a; c2=b',
      'user-agent': 'agent',
      'content-type': 'application/json',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-port': '9000',
      'x-forwarded-proto': 'http',
      'x-amzn-trace-id': 'Root=1-2-3;Lineage=a87bd80c:0',
    },
    queryStringParameters: { parameter1: 'value1,value2', parameter2: 'a b c' },
    requestContext: {
      accountId: '000000000000',
      apiId: 'abc',
      domainName: 'abc.lambda-url.us-east-1.fn.localhost',
      domainPrefix: 'abc',
      http: { method: 'POST', path: '/my/path', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'agent' },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2020:19:03:58 +0000',
      timeEpoch: 1_584_039_838_390,
    },
    body: '{"a":"é"}',
    isBase64Encoded: false,
  });
});

test('a bare GET has no cookies, no parameters and no body', () => {
  const event = eventOf({});
  expect(Object.keys(event)).toEqual([
    'version',
    'routeKey',
    'rawPath',
    'rawQueryString',
    'headers',
    'requestContext',
    'isBase64Encoded',
  ]);
  expect(event.isBase64Encoded).toBe(false);
});

describe('body', () => {
  test.each<[type: string | null, isBase64: boolean]>([
    ['application/json', false],
    ['application/json; charset=utf-8', false],
    ['Application/JSON;charset=utf-8', false],
    ['application/problem+json', false],
    ['application/xml', false],
    ['image/svg+xml', true],
    ['application/javascript', false],
    ['text/plain', false],
    ['text/html; charset=utf-8', false],
    ['application/jsonx', true],
    ['application/octet-stream', true],
    ['application/x-www-form-urlencoded', true],
    ['multipart/form-data; boundary=x', true],
    [null, true],
  ])('%p is base64: %p', (type, isBase64) => {
    const event = eventOf({ rawHeaders: type === null ? [] : ['Content-Type', type], body: Buffer.from('{}') });
    expect(event).toMatchObject({ isBase64Encoded: isBase64, body: isBase64 ? 'e30=' : '{}' });
  });

  test('text that is not UTF-8 is base64, so that no byte is lost', () => {
    const body = Buffer.from([0x66, 0xfc, 0x72]);
    const event = eventOf({ rawHeaders: ['content-type', 'text/plain; charset=iso-8859-1'], body });
    expect(Buffer.from(event.body, 'base64')).toEqual(body);
    expect(event.isBase64Encoded).toBe(true);
  });

  test('any bytes come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.constantFrom('text/plain', 'image/png'), (bytes, type) => {
        const event = eventOf({ rawHeaders: ['content-type', type], body: Buffer.from(bytes) });
        expect(Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8')).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

describe('headers', () => {
  test('what belongs to the connection, and what only Kappa may say, is not handed on', () => {
    const names = [
      'Connection',
      'Keep-Alive',
      'TE',
      'Trailer',
      'Transfer-Encoding',
      'Upgrade',
      'HTTP2-Settings',
      'Expect',
      'X-Kappa-Fault',
      'Proxy-Authorization',
    ];
    const { headers } = eventOf({ rawHeaders: names.flatMap((name) => [name, 'x']) });
    expect(Object.keys(headers)).toEqual([
      'x-forwarded-for',
      'x-forwarded-port',
      'x-forwarded-proto',
      'x-amzn-trace-id',
    ]);
  });

  test('a caller cannot say where it comes from', () => {
    expect(eventOf({ rawHeaders: ['X-Forwarded-For', '8.8.8.8'] }).headers['x-forwarded-for']).toBe('127.0.0.1');
  });

  test('__proto__ is a name like any other', () => {
    const event = eventOf({ rawHeaders: ['__proto__', 'x', 'constructor', 'y'], query: '__proto__=1&toString=2' });
    expect(Object.getOwnPropertyDescriptor(event.headers, '__proto__')?.value).toBe('x');
    expect(event.headers.constructor).toBe('y');
    expect(event.queryStringParameters.toString).toBe('2');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  const name = fc
    .stringMatching(/^[a-z][a-z0-9-]{0,20}$/)
    .filter(
      (text) =>
        !/^(x-kappa|x-forwarded|x-amzn-trace-id$|te$|trailer$|connection$|keep-alive$|upgrade$|expect$|cookie$|proxy|transfer|http2)/.test(
          text,
        ),
    );
  const value = fc.stringMatching(/^[ -~]{0,30}$/);
  test('every header arrives once, lower-case, its values in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        const rawHeaders = pairs.flatMap(([key, text], at) => [at % 2 === 0 ? key.toUpperCase() : key, text]);
        const { headers } = eventOf({ rawHeaders });
        for (const [key] of pairs) {
          expect(headers[key]).toBe(
            pairs
              .filter(([other]) => other === key)
              .map(([, text]) => text)
              .join(','),
          );
        }
      }),
    );
  });

  test('cookies of several headers come one by one', () => {
    const event = eventOf({ rawHeaders: ['Cookie', 'a=1;b=2', 'Cookie', ' c=3 ;; '] });
    expect(event.cookies).toEqual(['a=1', 'b=2', 'c=3']);
  });
});

test.each<[query: string, want: object]>([
  ['a', { a: '' }],
  ['a=', { a: '' }],
  ['a=b=c', { a: 'b=c' }],
  ['a=%zz&b=%', { a: '%zz', b: '%' }],
  ['a=%C3%A9', { a: 'é' }],
  ['a=%FF', { a: '\ufffd' }],
  ['a=1&a=2&a=', { a: '1,2,' }],
  ['%61=1&a=2', { a: '1,2' }],
])('query %p', (query, want) => {
  const event = eventOf({ query });
  expect(event.queryStringParameters).toEqual(want);
  expect(event.rawQueryString).toBe(query);
});
