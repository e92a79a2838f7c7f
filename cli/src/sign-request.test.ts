import { createHash, createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { SignatureV4 } from '@smithy/signature-v4';

import { accessKeyOf, signedHeaders } from './sign-request.ts';

/** What AWS's own signer hashes with. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', Buffer.from(secret as Uint8Array));
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

const key = { accessKeyId: 'AKID', secretAccessKey: 'secret', region: 'eu-west-1' };
const nowMs = Date.parse('2026-11-22T01:02:03.456Z');

test.each<[reason: string, method: string, url: string, token: object]>([
  ['a list', 'GET', 'http://127.0.0.1:9000/kappa/v1/events/hello?limit=5&after=12%3Aid', {}],
  ['a session', 'DELETE', 'https://kappa.example/kappa/v1/events/hello/id', { sessionToken: 'a+b/c=' }],
  [
    'an ARN',
    'POST',
    'http://h/kappa/v1/events/arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Af/id/replay',
    {},
  ],
])('signs as the AWS SDK does: %s', async (_reason, method, text, token) => {
  const url = new URL(text);
  const credentials = { ...key, ...token };
  const signer = new SignatureV4({
    service: 'lambda',
    region: key.region,
    credentials,
    sha256: Sha256 as never,
    applyChecksum: false,
  });
  const request = {
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host },
  };
  const { headers } = await signer.sign(request, { signingDate: new Date(nowMs) });
  const { host: _host, ...want } = headers;
  expect(signedHeaders(method, url, credentials, nowMs)).toEqual(want);
});

test.each<[reason: string, env: Record<string, string>, want: object | null]>([
  ['none', {}, null],
  ['half of one', { AWS_ACCESS_KEY_ID: 'AKID' }, null],
  ['one', { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' }, key],
])('the key of the environment: %s', (_reason, env, want) => {
  expect(accessKeyOf(env)).toEqual(want);
});
