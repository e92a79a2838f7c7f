import { describe, expect, test } from '@jest/globals';
import { describeFieldErrors } from './field-error.ts';
import type { JsonObject } from './json.ts';
import { applyDefaults, compileSchema, prune, validate } from './structural.ts';

const spec = (properties: JsonObject, more: JsonObject = {}) =>
  compileSchema({ type: 'object', properties: { spec: { type: 'object', properties, ...more } } });
const object = (value: JsonObject): JsonObject => ({
  apiVersion: 'a/v1',
  kind: 'A',
  metadata: { name: 'x' },
  spec: value,
});

describe('validate words a refusal as the API server does', () => {
  test.each<[reason: string, property: JsonObject, value: unknown, want: string]>([
    [
      'minimum',
      { type: 'integer', minimum: 128 },
      64,
      'spec.f: Invalid value: 64: spec.f in body should be greater than or equal to 128',
    ],
    [
      'maximum',
      { type: 'integer', maximum: 9 },
      10,
      'spec.f: Invalid value: 10: spec.f in body should be less than or equal to 9',
    ],
    [
      'exclusive minimum',
      { type: 'number', minimum: 1, exclusiveMinimum: true },
      1,
      'spec.f: Invalid value: 1: spec.f in body should be greater than 1',
    ],
    [
      'multiple',
      { type: 'integer', multipleOf: 4 },
      6,
      'spec.f: Invalid value: 6: spec.f in body should be a multiple of 4',
    ],
    [
      'type',
      { type: 'integer' },
      'x',
      'spec.f: Invalid value: "string": spec.f in body must be of type integer: "string"',
    ],
    [
      'fraction for integer',
      { type: 'integer' },
      1.5,
      'spec.f: Invalid value: "number": spec.f in body must be of type integer: "number"',
    ],
    ['null', { type: 'string' }, null, 'spec.f: Invalid value: "null": spec.f in body must be of type string: "null"'],
    ['enum', { type: 'string', enum: ['a', 'b'] }, 'c', 'spec.f: Unsupported value: "c": supported values: "a", "b"'],
    ['too long', { type: 'string', maxLength: 2 }, 'abc', 'spec.f: Too long: may not be more than 2 bytes'],
    [
      'too short',
      { type: 'string', minLength: 1 },
      '',
      'spec.f: Invalid value: "": spec.f in body should be at least 1 chars long',
    ],
    [
      'pattern',
      { type: 'string', pattern: '^[a-z]+$' },
      'A',
      'spec.f: Invalid value: "A": spec.f in body should match \'^[a-z]+$\'',
    ],
    [
      'format',
      { type: 'string', format: 'date-time' },
      'now',
      'spec.f: Invalid value: "now": spec.f in body must be of type date-time: "now"',
    ],
    [
      'too many items',
      { type: 'array', maxItems: 1, items: { type: 'string' } },
      ['a', 'b'],
      'spec.f: Too many: 2: must have at most 1 item',
    ],
    [
      'too few items',
      { type: 'array', minItems: 1, items: { type: 'string' } },
      [],
      'spec.f: Invalid value: 0: spec.f in body should have at least 1 items',
    ],
    [
      'set',
      { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      ['a', 'a'],
      'spec.f[1]: Duplicate value: "a"',
    ],
    [
      'int or string',
      { 'x-kubernetes-int-or-string': true },
      true,
      'spec.f: Invalid value: "boolean": spec.f in body must be of type integer,string: "boolean"',
    ],
    [
      'too many properties',
      { type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } },
      { a: '1', b: '2' },
      'spec.f: Too many: 2: must have at most 1 item',
    ],
  ])('%s', (_reason, property, value, want) => {
    const [first] = validate(spec({ f: property }), object({ f: value }), null);
    expect(describeFieldErrors(first === undefined ? [] : [first])).toBe(want);
  });

  test('a missing field', () => {
    const errors = validate(spec({ f: { type: 'string' } }, { required: ['f'] }), object({}), null);
    expect(errors[0]).toEqual({ field: 'spec.f', reason: 'Required', message: 'Required value' });
    expect(errors[1]?.message).toContain('some validation rules were not checked');
  });

  test('a repeated key of a keyed list', () => {
    const schema = spec({
      f: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string' }, v: { type: 'integer' } },
        },
      },
    });
    const errors = validate(
      schema,
      object({
        f: [
          { name: 'a', v: 1 },
          { name: 'a', v: 2 },
        ],
      }),
      null,
    );
    expect(describeFieldErrors(errors)).toBe('spec.f[1]: Duplicate value: {"name":"a"}');
  });

  test('a value that fits none of several', () => {
    const schema = spec({
      f: {
        type: 'object',
        properties: { a: { type: 'integer' }, b: { type: 'integer' } },
        oneOf: [{ required: ['a'] }, { required: ['b'] }],
      },
    });
    expect(describeFieldErrors(validate(schema, object({ f: { a: 1, b: 1 } }), null))).toContain(
      'Found 2 valid alternatives',
    );
    expect(validate(schema, object({ f: { a: 1 } }), null)).toEqual([]);
  });
});

describe('CEL rules', () => {
  const withRules = (...rules: JsonObject[]) =>
    spec(
      {
        a: { type: 'integer' },
        b: { type: 'string' },
        list: { type: 'array', items: { type: 'string' } },
        'x-y': { type: 'string' },
      },
      { 'x-kubernetes-validations': rules },
    );
  const text = (schema: ReturnType<typeof spec>, now: JsonObject, before: JsonObject | null = null) =>
    describeFieldErrors(validate(schema, object(now), before === null ? null : object(before)));

  test.each<[reason: string, rule: JsonObject, now: JsonObject, want: string]>([
    [
      'message and path of the node',
      { rule: 'self.a < 3', message: 'a must be small' },
      { a: 3 },
      'spec: Invalid value: a must be small',
    ],
    ['no message shows the rule', { rule: 'self.a < 3' }, { a: 3 }, 'spec: Invalid value: failed rule: self.a < 3'],
    [
      'a field path points to the field',
      { rule: 'self.a < 3', message: 'small', fieldPath: '.a' },
      { a: 3 },
      'spec.a: Invalid value: small',
    ],
    [
      'a reason',
      { rule: 'has(self.a)', message: 'give a', reason: 'FieldValueRequired', fieldPath: '.a' },
      {},
      'spec.a: Required value: give a',
    ],
    [
      'a computed message',
      { rule: 'self.a < 3', messageExpression: '"a is " + string(self.a)' },
      { a: 3 },
      'spec: Invalid value: a is 3',
    ],
    [
      'a broken rule at run time',
      { rule: 'self.a < 3' },
      {},
      'spec: Invalid value: "object": No such key: a evaluating rule: failed rule: self.a < 3',
    ],
    [
      'lists and strings',
      { rule: "self.list.all(x, x.startsWith('k'))", message: 'k' },
      { list: ['k1', 'z'] },
      'spec: Invalid value: k',
    ],
    [
      'URLs',
      { rule: "isURL(self.b) && url(self.b).getScheme() == 'https'", message: 'https' },
      { b: 'http://x' },
      'spec: Invalid value: https',
    ],
    ['escaped names', { rule: "self.x__dash__y == 'ok'", message: 'ok' }, { 'x-y': 'no' }, 'spec: Invalid value: ok'],
  ])('%s', (_reason, rule, now, want) => {
    expect(text(withRules(rule), now)).toBe(want);
  });

  test('a transition rule runs on update only', () => {
    const schema = withRules({ rule: 'self.a >= oldSelf.a', message: 'a may not fall' });
    expect(text(schema, { a: 1 })).toBe('[]');
    expect(text(schema, { a: 1 }, { a: 2 })).toBe('spec: Invalid value: a may not fall');
    expect(text(schema, { a: 2 }, { a: 1 })).toBe('[]');
  });

  test('optionalOldSelf runs on creation too', () => {
    const rule = { rule: 'oldSelf.hasValue() || self.a == 0', message: 'starts at 0', optionalOldSelf: true };
    expect(text(withRules(rule), { a: 1 })).toBe('spec: Invalid value: starts at 0');
    expect(text(withRules(rule), { a: 1 }, { a: 2 })).toBe('[]');
  });

  test('a rule that fails on an unchanged part is not held against an update', () => {
    const schema = withRules({ rule: 'self.a < 3', message: 'small' });
    expect(text(schema, { a: 5 }, { a: 5 })).toBe('[]');
    expect(text(schema, { a: 6 }, { a: 5 })).toBe('spec: Invalid value: small');
  });

  test('a rule that does not compile is a schema error', () => {
    expect(() => withRules({ rule: 'self.a <' })).toThrow('x-kubernetes-validations');
    expect(() => withRules({ rule: '1 + 2' })).toThrow('must evaluate to a bool');
  });
});

describe('prune and applyDefaults', () => {
  const schema = spec({
    kept: { type: 'string' },
    size: { type: 'integer', default: 128 },
    nested: { type: 'object', default: {}, properties: { deep: { type: 'string', default: 'd' } } },
    free: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: { type: 'object', properties: {} } },
    },
    map: { type: 'object', additionalProperties: { type: 'object', properties: { v: { type: 'string' } } } },
  });

  test('unknown fields go and are named', () => {
    const value = object({ kept: 'k', gone: 1, free: { any: 1, known: { no: 1 } }, map: { k: { v: 'v', w: 'w' } } });
    expect(prune(schema, value).sort()).toEqual(['spec.free.known.no', 'spec.gone', 'spec.map.k.w']);
    expect(value['spec']).toEqual({ kept: 'k', free: { any: 1, known: {} }, map: { k: { v: 'v' } } });
    expect(value['metadata']).toEqual({ name: 'x' });
  });

  test('defaults fill what is missing or null, nested ones too', () => {
    const value = object({ size: null, kept: null });
    prune(schema, value);
    applyDefaults(schema, value);
    expect(value['spec']).toEqual({ size: 128, nested: { deep: 'd' } });
  });
});
