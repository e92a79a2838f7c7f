import { expect, test } from '@jest/globals';
import { parseImageReference, pinnedReference } from './reference.ts';

const sha256 = 'ab'.repeat(32);

test.each<
  [
    reason: string,
    uri: string,
    want: readonly [registry: string, repository: string, tag: string | null, sha256: string | null] | null,
  ]
>([
  ['a registry, a path and a tag', 'registry.example/shop/cart:7', ['registry.example', 'shop/cart', '7', null]],
  ['no tag', 'registry.example/cart', ['registry.example', 'cart', 'latest', null]],
  ['a port', 'registry.local:5000/cart:1.0', ['registry.local:5000', 'cart', '1.0', null]],
  ['a machine of one word', 'localhost/cart', ['localhost', 'cart', 'latest', null]],
  ['an address', '198.51.100.1:5000/a/b/c:x_y-z', ['198.51.100.1:5000', 'a/b/c', 'x_y-z', null]],
  ['Docker Hub', 'python:3.13', ['docker.io', 'library/python', '3.13', null]],
  ['an account of Docker Hub', 'shop/cart', ['docker.io', 'shop/cart', 'latest', null]],
  [
    'ECR',
    '123456789012.dkr.ecr.us-east-1.amazonaws.com/cart:v1',
    ['123456789012.dkr.ecr.us-east-1.amazonaws.com', 'cart', 'v1', null],
  ],
  ['a digest', `registry.example/cart@sha256:${sha256}`, ['registry.example', 'cart', null, sha256]],
  ['a digest beside a tag', `registry.example/cart:7@sha256:${sha256}`, ['registry.example', 'cart', '7', sha256]],
  ['nothing', '', null],
  ['no path', 'registry.example/', null],
  ['upper case in the path', 'registry.example/Cart', null],
  ['a path that leaves', 'registry.example/../cart', null],
  ['an empty tag', 'registry.example/cart:', null],
  ['a digest of another kind', 'registry.example/cart@sha512:ab', null],
  ['two digests', `registry.example/cart@sha256:${sha256}@sha256:${sha256}`, null],
  ['a URL', 'https://registry.example/cart', null],
  ['credentials', 'me:secret@registry.example/cart', null],
])('parseImageReference: %s', (_reason, uri, want) => {
  const [registry, repository, tag, digest] = want ?? [];
  expect(parseImageReference(uri)).toEqual(want === null ? null : { registry, repository, tag, sha256: digest });
});

test('what is pinned is named by its digest alone', () => {
  const reference = parseImageReference('registry.example/cart:7');
  expect(reference && pinnedReference(reference, sha256)).toBe(`registry.example/cart@sha256:${sha256}`);
});
