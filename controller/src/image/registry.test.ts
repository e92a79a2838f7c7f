import { beforeEach, describe, expect, test } from '@jest/globals';
import { parseImageReference } from './reference.ts';
import { describeImage } from './registry.ts';
import type { RegistryCredentials } from './registry-credentials.ts';
import { FakeRegistry } from './testing-registry.ts';

const origin = 'https://registry.example';
const me = { username: 'me', password: 'secret' };
const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
const index = 'application/vnd.oci.image.index.v1+json';
let registry: FakeRegistry;
beforeEach(() => {
  registry = new FakeRegistry();
});

const ask = (name = ':7', credentials: RegistryCredentials | null = null) => {
  const reference = parseImageReference(`registry.example/shop/cart${name}`);
  if (reference === null) throw new Error('no reference');
  return describeImage(reference, 'amd64', { get: registry.get, originOf: () => origin, credentials });
};
const hexOf = (digest: string): string => digest.slice('sha256:'.length);

test('a tag leads to the digest, and to what the image starts', async () => {
  const digest = registry.image({ Entrypoint: ['/lambda-entrypoint.sh'], Cmd: ['app.handler'] }, '7');
  const facts = { sha256: hexOf(digest), entryPoint: ['/lambda-entrypoint.sh'], command: ['app.handler'] };
  expect(await ask()).toEqual(facts);
  expect(await ask(`@${digest}`)).toEqual(facts);
});

test.each<[reason: string, config: object]>([
  ['nothing is said', {}],
  ['null, as builders write it', { Entrypoint: null, Cmd: null }],
])('an image may start nothing: %s', async (_reason, config) => {
  registry.image(config, '7');
  expect(await ask()).toMatchObject({ entryPoint: [], command: [] });
});

test('of several platforms the own one is looked at, and all of them are pinned', async () => {
  const own = registry.image({ Cmd: ['amd64'] });
  const other = registry.image({ Cmd: ['arm64'] });
  const manifests = [
    { digest: other, platform: { os: 'linux', architecture: 'arm64' } },
    { digest: own, platform: { os: 'linux', architecture: 'amd64' } },
  ];
  const digest = registry.put('manifests', { schemaVersion: 2, manifests }, index, '7');
  expect(await ask()).toEqual({ sha256: hexOf(digest), entryPoint: [], command: ['amd64'] });
});

describe('who asks', () => {
  const realm = 'https://auth.example/token';
  const tokenUrl = `${realm}?service=shop&scope=repository%3Ashop%2Fcart%3Apull`;

  test('a token is got once, with the credentials, and used for everything', async () => {
    registry.image({ Cmd: ['x'] }, '7');
    registry.wanted = 'Bearer t';
    registry.challenge = `Bearer realm="${realm}",service="shop",scope="ignored"`;
    registry.answers.set(tokenUrl, { body: Buffer.from('{"token":"t"}') });
    await ask(':7', me);
    expect(registry.asked.map(({ authorization }) => authorization)).toEqual([null, basic, 'Bearer t', 'Bearer t']);
  });

  test('and without credentials for what is public', async () => {
    registry.image({ Cmd: ['x'] }, '7');
    registry.wanted = 'Bearer t';
    registry.challenge = `Bearer realm="${realm}",service="shop"`;
    registry.answers.set(tokenUrl, { body: Buffer.from('{"access_token":"t"}') });
    await ask();
    expect(registry.asked[1]).toEqual({ url: tokenUrl, authorization: null });
  });

  test('a simple registry gets them itself', async () => {
    registry.image({ Cmd: ['x'] }, '7');
    registry.wanted = basic;
    registry.challenge = 'Basic realm="shop"';
    await expect(ask(':7', me)).resolves.toMatchObject({ command: ['x'] });
    await expect(ask()).rejects.toMatchObject({ reason: 'ImageAccessDenied' });
    await expect(ask(':7', { ...me, password: 'wrong' })).rejects.toMatchObject({
      reason: 'ImageAccessDenied',
      message: 'may not be read with the pull secret of this install',
    });
  });

  test('where contents lie elsewhere, nobody gets to know them there', async () => {
    const digest = registry.image({ Cmd: ['x'] }, '7');
    registry.wanted = basic;
    registry.challenge = 'Basic';
    const blob = `${origin}/v2/shop/cart/blobs/${configOf(digest)}`;
    const body = registry.bytesOf(`blobs/${configOf(digest)}`);
    registry.answers.set(blob, { status: 307, headers: { location: 'https://cdn.example/x' } });
    registry.answers.set('https://cdn.example/x', { body });
    await expect(ask(':7', me)).resolves.toMatchObject({ command: ['x'] });
    expect(registry.asked.at(-1)).toEqual({ url: 'https://cdn.example/x', authorization: null });
  });

  test('nor by asking who comes', async () => {
    registry.answers.set(`${origin}/v2/shop/cart/manifests/7`, {
      status: 307,
      headers: { location: 'https://other.example/x' },
    });
    const challenge = 'Bearer realm="https://other.example/token",service="shop"';
    registry.answers.set('https://other.example/x', { status: 401, headers: { 'www-authenticate': challenge } });
    await expect(ask(':7', me)).rejects.toMatchObject({ reason: 'ImageAccessDenied' });
    expect(registry.asked.map(({ authorization }) => authorization)).toEqual([null, null]);
  });

  test('a registry that is named with its usual port gets them, too', async () => {
    registry.image({ Cmd: ['x'] }, '7');
    registry.wanted = basic;
    registry.challenge = 'Basic';
    const reference = parseImageReference('registry.example:443/shop/cart:7');
    const access = { get: registry.get, originOf: () => `${origin}:443`, credentials: me };
    await expect(reference && describeImage(reference, 'amd64', access)).resolves.toMatchObject({ command: ['x'] });
  });
});

/** The digest of the configuration that a manifest names. */
function configOf(digest: string): string {
  const manifest = JSON.parse(registry.bytesOf(`manifests/${digest}`).toString()) as { config: { digest: string } };
  return manifest.config.digest;
}

test.each<[reason: string, prepare: () => void, refusal: readonly [reason: string, text: string]]>([
  ['there is none', () => undefined, ['InvalidImage', 'does not exist']],
  [
    'the registry is in trouble',
    () => registry.answers.set(`${origin}/v2/shop/cart/manifests/7`, { status: 503 }),
    ['FetchFailed', 'answered 503'],
  ],
  [
    'for another platform only',
    () =>
      registry.put(
        'manifests',
        { manifests: [{ digest: `sha256:${'0'.repeat(64)}`, platform: { os: 'linux', architecture: 'arm64' } }] },
        index,
        '7',
      ),
    ['InvalidImage', 'linux/amd64'],
  ],
  [
    'more words than a version keeps',
    () => registry.image({ Cmd: Array.from({ length: 201 }, () => 'x') }, '7'),
    ['InvalidImage', 'has 201 words in its CMD, at most 200 are kept'],
  ],
  [
    'a longer word',
    () => registry.image({ Entrypoint: ['x'.repeat(4_097)] }, '7'),
    ['InvalidImage', 'has a word of 4097 characters in its ENTRYPOINT, at most 4096 are kept'],
  ],
  [
    'no manifest',
    () => registry.answers.set(`${origin}/v2/shop/cart/manifests/7`, { body: Buffer.from('<html>') }),
    ['InvalidImage', 'is no manifest'],
  ],
  [
    'a manifest without a configuration',
    () => registry.put('manifests', {}, undefined, '7'),
    ['InvalidImage', 'without the digests'],
  ],
  [
    'a digest that leads elsewhere',
    () => registry.put('manifests', { config: { digest: 'sha256:../../secrets' } }, undefined, '7'),
    ['InvalidImage', 'without the digests'],
  ],
  [
    'a token from nowhere',
    () => {
      registry.wanted = 'x';
      registry.challenge = 'Bearer realm="",service="shop"';
    },
    ['FetchFailed', 'token from nowhere'],
  ],
  [
    'redirects without an end',
    () =>
      registry.answers.set(`${origin}/v2/shop/cart/manifests/7`, {
        status: 302,
        headers: { location: '/v2/shop/cart/manifests/7' },
      }),
    ['FetchFailed', 'answered 302'],
  ],
])('an image that cannot be had: %s', async (_reason, prepare, [reason, text]) => {
  prepare();
  await expect(ask()).rejects.toMatchObject({ reason, message: expect.stringContaining(text) });
});

test('contents that are not what their digest says are not used', async () => {
  const digest = registry.image({ Cmd: ['x'] }, '7');
  registry.answers.set(`${origin}/v2/shop/cart/manifests/${digest}`, { body: Buffer.from('{"config":{}}') });
  await expect(ask(`@${digest}`)).rejects.toMatchObject({ reason: 'InvalidImage' });
});

test('a registry that does not answer may do so later', async () => {
  const down = { get: () => Promise.reject(new Error('ECONNREFUSED')), originOf: () => origin, credentials: null };
  const reference = parseImageReference('registry.example/shop/cart:7');
  await expect(reference && describeImage(reference, 'amd64', down)).rejects.toMatchObject({ reason: 'FetchFailed' });
});
