import { describe, expect, test } from '@jest/globals';
import { type Answer, type Json, patchTypes } from './api.ts';
import { makeCrd, useCluster } from './cluster.ts';

const text = { type: 'string' };
const crd = makeCrd('rules', {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['must'],
      properties: {
        must: { type: 'string', minLength: 1, maxLength: 5, pattern: '^[a-z]*$' },
        size: { type: 'integer', minimum: 2, maximum: 9, default: 3 },
        ratio: { type: 'number', minimum: 0, exclusiveMinimum: true },
        kind: { type: 'string', enum: ['A', 'B'] },
        flag: { type: 'boolean' },
        when: { type: 'string', format: 'date-time' },
        maybe: { type: 'string', nullable: true },
        nested: { type: 'object', default: {}, properties: { deep: { type: 'string', default: 'd' } } },
        port: { 'x-kubernetes-int-or-string': true },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        map: { type: 'object', maxProperties: 2, additionalProperties: { type: 'integer' } },
        list: { type: 'array', maxItems: 2, items: { type: 'integer' } },
        set: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
        keyed: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', required: ['name'], properties: { name: text, value: text } },
        },
        fixed: {
          type: 'string',
          maxLength: 10,
          'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed cannot be changed' }],
        },
        low: { type: 'integer' },
        high: { type: 'integer' },
        link: {
          type: 'string',
          maxLength: 100,
          'x-kubernetes-validations': [
            {
              rule: "isURL(self) && url(self).getScheme() == 'https'",
              messageExpression: "'not an https URL: ' + self",
            },
          ],
        },
      },
      'x-kubernetes-validations': [
        {
          rule: '!has(self.low) || !has(self.high) || self.low <= self.high',
          message: 'low above high',
          fieldPath: '.low',
        },
        {
          rule: '!has(self.flag) || self.flag || has(self.kind)',
          message: 'kind is needed',
          reason: 'FieldValueRequired',
          fieldPath: '.kind',
        },
      ],
    },
  },
});
const cluster = useCluster({ crds: [crd] });
const apiVersion = `${crd.spec.group}/v1`;
const path = (name?: string): string => cluster.path(apiVersion, 'widgets', name);
let count = 0;
const widget = (spec: Json, more: Json = {}): Json => ({
  apiVersion,
  kind: 'Widget',
  metadata: { name: `w${++count}` },
  spec: { must: 'ok', ...spec },
  ...more,
});
const post = (body: Json, query: Record<string, string> = {}): Promise<Answer> =>
  cluster.api.send('POST', path(), { body, query });

describe('a value is refused with field and reason', () => {
  test.each<[reason: string, spec: Json, field: string, message: string]>([
    ['missing', { must: undefined }, 'spec.must', 'Required value'],
    ['too short', { must: '' }, 'spec.must', 'Invalid value: "": spec.must in body should be at least 1 chars long'],
    ['too long', { must: 'abcdef' }, 'spec.must', 'Too long: may not be more than 5 bytes'],
    ['pattern', { must: 'A' }, 'spec.must', `Invalid value: "A": spec.must in body should match '^[a-z]*$'`],
    ['minimum', { size: 1 }, 'spec.size', 'Invalid value: 1: spec.size in body should be greater than or equal to 2'],
    ['maximum', { size: 10 }, 'spec.size', 'Invalid value: 10: spec.size in body should be less than or equal to 9'],
    ['exclusive', { ratio: 0 }, 'spec.ratio', 'Invalid value: 0: spec.ratio in body should be greater than 0'],
    ['enum', { kind: 'C' }, 'spec.kind', 'Unsupported value: "C": supported values: "A", "B"'],
    [
      'type',
      { size: 'x' },
      'spec.size',
      'Invalid value: "string": spec.size in body must be of type integer: "string"',
    ],
    [
      'format',
      { when: 'soon' },
      'spec.when',
      'Invalid value: "soon": spec.when in body must be of type date-time: "soon"',
    ],
    ['too many items', { list: [1, 2, 3] }, 'spec.list', 'Too many: 3: must have at most 2 items'],
    ['too many properties', { map: { a: 1, b: 2, c: 3 } }, 'spec.map', 'Too many: 3: must have at most 2 items'],
    [
      'item type',
      { list: ['x'] },
      'spec.list[0]',
      'Invalid value: "string": spec.list[0] in body must be of type integer: "string"',
    ],
    [
      'map value type',
      { map: { a: 'x' } },
      'spec.map.a',
      'Invalid value: "string": spec.map.a in body must be of type integer: "string"',
    ],
    ['set', { set: ['a', 'a'] }, 'spec.set[1]', 'Duplicate value: "a"'],
    ['keyed list', { keyed: [{ name: 'a' }, { name: 'a' }] }, 'spec.keyed[1]', 'Duplicate value: {"name":"a"}'],
    [
      'int or string',
      { port: true },
      'spec.port',
      'Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ],
    ['rule with a field path', { low: 2, high: 1 }, 'spec.low', 'low above high'],
    ['rule with a reason', { flag: false }, 'spec.kind', 'Required value: kind is needed'],
    [
      'rule with a computed message',
      { link: 'http://x' },
      'spec.link',
      'Invalid value: "http://x": not an https URL: http://x',
    ],
  ])('%s', async (_reason, spec, field, message) => {
    const { status, body } = await post(widget(spec));
    expect(status).toBe(422);
    expect(body).toMatchObject({
      kind: 'Status',
      reason: 'Invalid',
      details: { group: crd.spec.group, kind: 'Widget' },
    });
    const cause = body.details.causes.find((one: Json) => one.field === field);
    expect(cause?.message).toContain(message);
    expect(body.message).toContain(`${field}: `);
    expect(body.message).toMatch(new RegExp(`^Widget\\.${crd.spec.group.replaceAll('.', '\\.')} "w\\d+" is invalid: `));
  });

  test('several errors come together', async () => {
    const { body } = await post(widget({ size: 1, kind: 'C', list: ['x'] }));
    const fields = body.details.causes.map((one: Json) => one.field);
    expect(fields).toEqual(expect.arrayContaining(['spec.size', 'spec.kind', 'spec.list[0]']));
  });
});

describe('what is accepted', () => {
  test('defaults are filled in, nested ones too', async () => {
    const { status, body } = await post(widget({}));
    expect(status).toBe(201);
    expect(body.spec).toEqual({ must: 'ok', size: 3, nested: { deep: 'd' } });
  });

  test('null counts as missing where null is not allowed', async () => {
    const { body } = await post(widget({ size: null, kind: null, maybe: null }));
    expect(body.spec).toEqual({ must: 'ok', size: 3, maybe: null, nested: { deep: 'd' } });
  });

  test('a number or a word for int-or-string', async () => {
    expect((await post(widget({ port: 80 }))).body.spec.port).toBe(80);
    expect((await post(widget({ port: 'http' }))).body.spec.port).toBe('http');
  });

  test('unknown fields are dropped with a warning, kept where the schema says so', async () => {
    const answer = await post(widget({ colour: 'red', free: { any: { thing: [1] } } }));
    expect(answer.body.spec.colour).toBeUndefined();
    expect(answer.body.spec.free).toEqual({ any: { thing: [1] } });
    expect(String(answer.headers['warning'])).toContain('unknown field \\"spec.colour\\"');
  });

  test('strict field validation refuses them', async () => {
    const { status, body } = await post(widget({ colour: 'red' }), { fieldValidation: 'Strict' });
    expect(status).toBe(400);
    expect(body.message).toContain('strict decoding error: unknown field "spec.colour"');
  });

  test('ignoring says nothing', async () => {
    const answer = await post(widget({ colour: 'red' }), { fieldValidation: 'Ignore' });
    expect(answer.status).toBe(201);
    expect(answer.headers['warning']).toBeUndefined();
  });
});

describe('on update', () => {
  const made = async (spec: Json): Promise<string> => (await post(widget(spec))).body.metadata.name;
  const patch = (name: string, spec: Json): Promise<Answer> =>
    cluster.api.send('PATCH', path(name), { body: { spec }, contentType: patchTypes.merge });

  test('a transition rule compares with what was', async () => {
    const name = await made({ fixed: 'a' });
    expect((await patch(name, { size: 4 })).status).toBe(200);
    const { status, body } = await patch(name, { fixed: 'b' });
    expect(status).toBe(422);
    expect(body.message).toContain('spec.fixed: Invalid value: "b": fixed cannot be changed');
  });

  test('a transition rule says nothing about a field that comes or goes', async () => {
    const name = await made({});
    expect((await patch(name, { fixed: 'a' })).status).toBe(200);
    expect((await patch(name, { fixed: null })).status).toBe(200);
  });

  test('values are checked as at creation', async () => {
    const name = await made({});
    expect((await patch(name, { size: 1 })).status).toBe(422);
    expect((await patch(name, { low: 2, high: 1 })).status).toBe(422);
  });
});

describe('a definition that cannot work is refused', () => {
  const define = (schema: Json, more: Json = {}): Promise<Answer> => {
    const definition = makeCrd('refused', schema);
    return cluster.api.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      body: { ...definition, ...more },
      query: { dryRun: 'All' },
    });
  };
  const withSpec = (spec: Json): Json => ({ type: 'object', properties: { spec } });

  test.each<[reason: string, schema: Json]>([
    ['a rule that does not compile', withSpec({ type: 'object', 'x-kubernetes-validations': [{ rule: 'self.a <' }] })],
    [
      'a rule that gives no truth',
      withSpec({ type: 'string', maxLength: 9, 'x-kubernetes-validations': [{ rule: "'x' + self" }] }),
    ],
    ['a pattern that is none', withSpec({ type: 'string', pattern: '(' })],
    ['a field without a type', withSpec({ type: 'object', properties: { a: { minimum: 1 } } })],
    ['a root that is no object', { type: 'string' }],
    [
      'a default that the schema refuses',
      withSpec({ type: 'object', properties: { a: { type: 'integer', default: 'x' } } }),
    ],
    [
      'a default by which a rule cannot be told',
      withSpec({
        type: 'object',
        default: {},
        properties: { a: { type: 'integer', default: 1 } },
        'x-kubernetes-validations': [{ rule: 'self.a == 1' }],
      }),
    ],
    [
      'a keyed list without its keys',
      withSpec({ type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } }),
    ],
  ])('%s', async (_reason, schema) => {
    const { status, body } = await define(schema);
    expect(status).toBe(422);
    expect(body).toMatchObject({ reason: 'Invalid', details: { kind: 'CustomResourceDefinition' } });
  });

  test('a name that is not plural and group', async () => {
    const { status, body } = await define({ type: 'object' }, { metadata: { name: 'other.contract.kappa.dev' } });
    expect(status).toBe(422);
    expect(body.message).toContain('must be spec.names.plural+"."+spec.group');
  });
});
