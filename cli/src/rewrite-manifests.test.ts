import { expect, test } from '@jest/globals';
import { rewriteManifests } from './rewrite-manifests.ts';

const upload = async (path: string): Promise<string> => `digest-of-${path}`;

test('a directory becomes the digest of its zip; the rest stays, comments too', async () => {
  const manifest = '# mine\nkind: Function\nspec:\n  handler: a.b # here\n  code:\n    directory: ./src\n';
  expect(await rewriteManifests(manifest, upload)).toBe(
    '# mine\nkind: Function\nspec:\n  handler: a.b # here\n  code:\n    zip:\n      sha256: digest-of-./src\n',
  );
});

test('a layer has its contents in a directory, too', async () => {
  const manifest = 'kind: Layer\nspec:\n  code:\n    directory: ./layer\n';
  expect(await rewriteManifests(manifest, upload)).toContain('sha256: digest-of-./layer');
});

test('other kinds and other code are left alone, document by document', async () => {
  const manifest =
    'kind: ConfigMap\nspec:\n  code:\n    directory: x\n---\nkind: Function\nspec:\n  code:\n    inline: {}\n';
  expect(await rewriteManifests(manifest, upload)).toBe(manifest);
});

test.each([
  ['a YAML mistake is positioned', 'kind: [', /line 1/],
  [
    'a directory that is a list',
    'kind: Function\nmetadata: {name: f}\nspec: {code: {directory: [a]}}',
    /Function f: spec.code.directory/,
  ],
])('refused: %s', async (_reason, manifest, message) => {
  await expect(rewriteManifests(manifest, upload)).rejects.toThrow(message);
});
