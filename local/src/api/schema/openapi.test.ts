import { expect, test } from '@jest/globals';
import { builtinSchema, builtinSource } from './builtins.ts';
import { isObject, type JsonObject, valueAt } from './json.ts';
import { openApiV3For, openApiV3Index } from './openapi.ts';
import { strategicMergePatch } from './strategic-merge.ts';
import { validate } from './structural.ts';

const source = {
  type: 'object',
  description: 'A thing.',
  properties: { spec: { type: 'object', description: 'What.' } },
};
const document = openApiV3For('a.dev/v1', [
  { plural: 'things', kind: 'Thing', isNamespaced: true, subresources: ['status'], source },
]);
const gvk = { group: 'a.dev', version: 'v1', kind: 'Thing' };

test('a document describes the kind under its group, version and kind', () => {
  expect(valueAt(document, 'components', 'schemas', 'dev.a.v1.Thing')).toMatchObject({
    description: 'A thing.',
    properties: { spec: { description: 'What.' }, metadata: { allOf: [{}] } },
    'x-kubernetes-group-version-kind': [gvk],
  });
});

test('the patch operation says that fields are validated', () => {
  const patch = valueAt(document, 'paths', '/apis/a.dev/v1/namespaces/{namespace}/things/{name}', 'patch');
  expect(patch).toMatchObject({ 'x-kubernetes-group-version-kind': gvk });
  expect(valueAt(patch, 'parameters')).toContainEqual(
    expect.objectContaining({ name: 'fieldValidation', in: 'query' }),
  );
  expect(Object.keys(valueAt(document, 'paths') as JsonObject)).toContain(
    '/apis/a.dev/v1/namespaces/{namespace}/things/{name}/status',
  );
});

test('every reference leads somewhere', () => {
  const schemas = valueAt(document, 'components', 'schemas') as JsonObject;
  for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    expect(Object.keys(schemas)).toContain(name);
  }
});

test('the index names each document with a hash that follows its content', () => {
  const url = (one: JsonObject): unknown =>
    valueAt(openApiV3Index({ v1: one, 'a.dev/v1': document }), 'paths', 'api/v1', 'serverRelativeURL');
  expect(url({ a: 1 })).toMatch(/^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]+$/);
  expect(url({ a: 1 })).not.toBe(url({ a: 2 }));
});

test('a built-in kind keeps what its schema does not name', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: {
      unknown: 1,
      containers: [{ name: 'a', image: 'i', ports: [{ containerPort: 1 }, { containerPort: 1, protocol: 'UDP' }] }],
    },
  };
  expect(validate(builtinSchema('v1', 'Pod'), pod, null)).toEqual([]);
  const patched = strategicMergePatch(builtinSchema('v1', 'Pod'), pod, {
    spec: { containers: [{ name: 'a', image: 'j' }] },
  });
  expect(valueAt(patched, 'spec', 'containers')).toMatchObject([{ name: 'a', image: 'j', ports: [{}, {}] }]);
  expect(isObject(builtinSource('v1', 'Nobody'))).toBe(true);
});
