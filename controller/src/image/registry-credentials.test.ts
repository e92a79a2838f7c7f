import { expect, test } from '@jest/globals';
import { findCredentials } from './registry-credentials.ts';

const encoded = Buffer.from('me:se:cret').toString('base64');
const config = (key: string, entry: object): string => JSON.stringify({ auths: { [key]: entry } });
const as = (username: string) => ({ username, password: 'x' });
const me = { username: 'me', password: 'se:cret' };

test.each<[reason: string, configs: string[], registry: string, want: readonly object[]]>([
  [
    'as kubectl writes it',
    [config('registry.example', { username: 'me', password: 'se:cret', auth: 'x' })],
    'registry.example',
    [me],
  ],
  ['as Docker writes it', [config('registry.example:5000', { auth: encoded })], 'registry.example:5000', [me]],
  ['Docker Hub', [config('https://index.docker.io/v1/', { auth: encoded })], 'docker.io', [me]],
  ['an address with a version', [config('https://registry.example/v2/', { auth: encoded })], 'registry.example', [me]],
  [
    'the second secret has it',
    [config('other.example', { auth: encoded }), config('registry.example', { auth: encoded })],
    'registry.example',
    [me],
  ],
  ['another registry', [config('registry.example', { auth: encoded })], 'example', []],
  ['another port', [config('registry.example:5000', { auth: encoded })], 'registry.example', []],
  ['no credentials in the entry', [config('registry.example', {})], 'registry.example', []],
  ['not JSON', ['nonsense', '', '[]', '{"auths":[]}'], 'registry.example', []],
  [
    'the longest path first, then the others',
    [
      config('registry.example', as('all')),
      config('registry.example/shop', as('shop')),
      config('registry.example/shop/cart', as('cart')),
    ],
    'registry.example',
    [as('cart'), as('shop'), as('all')],
  ],
  ['of another path', [config('registry.example/bank', { auth: encoded })], 'registry.example', []],
  [
    'any account of a cloud',
    [config('*.dkr.ecr.*.amazonaws.com', { auth: encoded })],
    '123456789012.dkr.ecr.us-east-1.amazonaws.com',
    [me],
  ],
  ['any characters of one part only', [config('*.example', { auth: encoded })], 'a.registry.example', []],
  ['nor of a port', [config('registry.*', { auth: encoded })], 'registry.example:5000', []],
  ['a dot is a dot', [config('registry.example', { auth: encoded })], 'registryxexample', []],
])('findCredentials: %s', (_reason, configs, registry, want) => {
  expect(findCredentials(configs, { registry, repository: 'shop/cart' })).toEqual(want);
});
