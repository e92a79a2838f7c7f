import { expect, test } from '@jest/globals';
import { findCredentials } from './registry-credentials.ts';

const encoded = Buffer.from('me:se:cret').toString('base64');
const config = (key: string, entry: object): string => JSON.stringify({ auths: { [key]: entry } });
const me = { username: 'me', password: 'se:cret' };

test.each<[reason: string, configs: string[], registry: string, want: object | null]>([
  [
    'as kubectl writes it',
    [config('registry.example', { username: 'me', password: 'se:cret', auth: 'x' })],
    'registry.example',
    me,
  ],
  ['as Docker writes it', [config('registry.example:5000', { auth: encoded })], 'registry.example:5000', me],
  ['Docker Hub', [config('https://index.docker.io/v1/', { auth: encoded })], 'docker.io', me],
  [
    'the second secret has it',
    [config('other.example', { auth: encoded }), config('registry.example', { auth: encoded })],
    'registry.example',
    me,
  ],
  ['another registry', [config('registry.example', { auth: encoded })], 'example', null],
  ['another port', [config('registry.example:5000', { auth: encoded })], 'registry.example', null],
  ['no credentials in the entry', [config('registry.example', {})], 'registry.example', null],
  ['not JSON', ['nonsense', '', '[]', '{"auths":[]}'], 'registry.example', null],
])('findCredentials: %s', (_reason, configs, registry, want) => {
  expect(findCredentials(configs, registry)).toEqual(want);
});
