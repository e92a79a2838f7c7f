import { expect, test } from '@jest/globals';
import type { JsonObject } from './json.ts';
import { applyDefaults, compileSchema } from './structural.ts';

const spec = (properties: JsonObject) =>
  compileSchema({ type: 'object', properties: { spec: { type: 'object', properties } } });

test.each<[reason: string, property: JsonObject, path: string]>([
  ['a field without a type', { minimum: 1 }, 'properties[f].type'],
  [
    'a keyed list without keys',
    { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } },
    'list-map-keys',
  ],
  ['a default that does not fit', { type: 'integer', default: 'x' }, 'properties[f].default'],
  [
    'a default that breaks a rule',
    { type: 'integer', default: 3, 'x-kubernetes-validations': [{ rule: 'self < 3', message: 'below 3' }] },
    'properties[f].default: openAPIV3Schema.properties[spec].properties[f].default: Invalid value: 3: below 3',
  ],
  [
    'a default without the field that a rule reads, which has a default of its own',
    {
      type: 'object',
      default: {},
      properties: { size: { type: 'integer', default: 1 } },
      'x-kubernetes-validations': [{ rule: 'self.size == 1' }],
    },
    'No such key: size',
  ],
])('%s is not structural', (_reason, property, path) => {
  expect(() => spec({ f: property })).toThrow(path);
});

test('a default keeps to a rule that allows for what is not filled in yet', () => {
  const rule = { rule: '!has(self.size) || self.size == 1' };
  const properties = { size: { type: 'integer', default: 1 } };
  const schema = spec({ f: { type: 'object', default: {}, properties, 'x-kubernetes-validations': [rule] } });
  const made: JsonObject = { spec: {} };
  applyDefaults(schema, made);
  expect(made).toEqual({ spec: { f: { size: 1 } } });
});
