import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAlias } from './alias.ts';
import { parseFunction } from './function.ts';
import { parseFunctionVersion } from './function-version.ts';
import * as limits from './limits.ts';
import { ParseError } from './parse-error.ts';
import { instantMs } from './parse-meta.ts';
import { parsePool } from './pool.ts';

const sha256 = 'ab'.repeat(32);
const spec = { runtime: 'nodejs24.x', handler: 'index.handler', code: { zip: { sha256 } } };
const metadata = { name: 'hello', namespace: 'default' };

function problemsOf(parse: () => unknown): readonly string[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof ParseError) return [...new Set(error.problems.map(({ path }) => path))];
    throw error;
  }
  return [];
}

describe('parseFunction', () => {
  test('fills in what was not said', () => {
    expect(parseFunction({ metadata, spec: { ...spec, http: { auth: 'None', cors: {} } } })).toEqual({
      apiVersion: 'kappa.dev/v1alpha1',
      kind: 'Function',
      metadata: {
        ...metadata,
        uid: '',
        resourceVersion: '',
        generation: 0,
        creationTimestampMs: null,
        deletionTimestampMs: null,
        labels: {},
        annotations: {},
        ownerReferences: [],
        finalizers: [],
      },
      spec: {
        ...spec,
        description: '',
        memoryMiB: 128,
        timeoutSeconds: 3,
        environment: [],
        concurrency: { provisioned: 0, perInstance: 1 },
        http: {
          auth: 'None',
          invokeMode: 'Buffered',
          cors: {
            allowOrigins: [],
            allowMethods: [],
            allowHeaders: [],
            exposeHeaders: [],
            allowCredentials: false,
            maxAgeSeconds: 0,
          },
        },
        logging: { format: 'Text' },
        idleTimeoutSeconds: 300,
      },
    });
  });

  test('one shape for list and watch', () => {
    const instant = '2026-11-21T19:44:05Z';
    const stored = {
      ...metadata,
      uid: 'u',
      resourceVersion: '7',
      generation: 2,
      managedFields: [{ manager: 'kubectl' }],
    };
    const listed = parseFunction({ metadata: { ...stored, creationTimestamp: new Date(instant) }, spec });
    const watched = parseFunction({
      apiVersion: 'kappa.dev/v1alpha1',
      kind: 'Function',
      metadata: { ...stored, creationTimestamp: instant },
      spec,
    });
    expect(listed).toEqual(watched);
    expect(listed.metadata).toMatchObject({ uid: 'u', generation: 2, creationTimestampMs: Date.parse(instant) });
    expect(listed.metadata).not.toHaveProperty('managedFields');
  });

  test('leaves its argument alone', () => {
    const given = Object.freeze({
      metadata,
      spec: Object.freeze({ ...spec, code: Object.freeze({ zip: { sha256 } }) }),
    });
    parseFunction(given);
    expect(given.spec).toEqual(spec);
  });

  test.each<[reason: string, object: unknown, paths: string[]]>([
    ['nothing', undefined, ['']],
    ['a list', [], ['']],
    ['another kind', { kind: 'Pod', metadata, spec }, ['kind']],
    ['another version', { apiVersion: 'kappa.dev/v2', metadata, spec }, ['apiVersion']],
    ['no metadata', { spec }, ['metadata']],
    ['labels of a wrong type', { metadata: { ...metadata, labels: { a: 1 } }, spec }, ['metadata.labels']],
    [
      'an instant that is none',
      { metadata: { ...metadata, creationTimestamp: 'yesterday' }, spec },
      ['metadata.creationTimestamp'],
    ],
    ['no spec', { metadata }, ['spec']],
    ['nothing said', { metadata, spec: {} }, ['spec.code']],
    ['an unknown runtime', { metadata, spec: { ...spec, runtime: 'nodejs99.x' } }, ['spec.runtime']],
    ['white space in the handler', { metadata, spec: { ...spec, handler: 'index handler' } }, ['spec.handler']],
    [
      'a list item',
      { metadata, spec: { ...spec, environment: [{ name: 'OK_1' }, { name: '_no' }] } },
      ['spec.environment[1].name'],
    ],
    ['a route of no path', { metadata, spec: { ...spec, http: { routes: [{}] } } }, ['spec.http.routes[0].path']],
  ])('names every wrong field: %s', (_reason, object, paths) => {
    expect(problemsOf(() => parseFunction(object))).toEqual(paths);
  });

  test.each<[path: string, isPath: boolean]>([
    ['/', true],
    ['/{proxy+}', true],
    ['/a/{b}/{c+}', true],
    ['/a.b/~c/:d', true],
    ['a', false],
    ['/a/', false],
    ['//a', false],
    ['/{proxy+}/a', false],
    ['/a{b}', false],
    ['/{}', false],
    ['/%61', false],
    ['/a b', false],
    ['/a?b', false],
  ])('the path %s of a route: %p', (path, isPath) => {
    const problems = problemsOf(() => parseFunction({ metadata, spec: { ...spec, http: { routes: [{ path }] } } }));
    expect(problems).toEqual(isPath ? [] : ['spec.http.routes[0].path']);
  });

  test.each<[name: string, isName: boolean]>([
    ['*', true],
    ['X-Amz-Date', true],
    ['x-ключ', false],
    ['x-a, x-b', false],
    ['x-a\r\nx-b: c', false],
  ])('the header name %j of CORS: %p', (name, isName) => {
    const cors = { allowHeaders: [name], exposeHeaders: [name] };
    const http = { auth: 'None', cors, routes: [{ path: '/', cors }] };
    const of = (where: string) => [`${where}.allowHeaders[0]`, `${where}.exposeHeaders[0]`];
    const url = of('spec.http.cors');
    const want = isName ? [] : [...url, ...of('spec.http.routes[0].cors')];
    expect(problemsOf(() => parseFunction({ metadata, spec: { ...spec, http } }))).toEqual(want);
    const alias = { functionName: 'hello', name: 'live', functionVersion: '1', http: { auth: 'None', cors } };
    expect(problemsOf(() => parseAlias({ metadata, spec: alias }))).toEqual(isName ? [] : url);
  });

  test('says what is allowed', () => {
    expect(() => parseFunction({ metadata, spec: { ...spec, logging: { format: 'XML' } } })).toThrow(
      'not a Function: spec.logging.format: must be one of Text, JSON',
    );
  });

  test.each<[field: string, min: number, max: number, make: (value: number) => object]>([
    ['memoryMiB', limits.memoryMinMiB, limits.memoryMaxMiB, (memoryMiB) => ({ memoryMiB })],
    ['timeoutSeconds', limits.timeoutMinSeconds, limits.timeoutMaxSeconds, (timeoutSeconds) => ({ timeoutSeconds })],
    [
      'idleTimeoutSeconds',
      limits.idleTimeoutMinSeconds,
      limits.idleTimeoutMaxSeconds,
      (idleTimeoutSeconds) => ({ idleTimeoutSeconds }),
    ],
    ['concurrency.reserved', 0, limits.concurrencyMax, (reserved) => ({ concurrency: { reserved } })],
    ['concurrency.provisioned', 0, limits.concurrencyMax, (provisioned) => ({ concurrency: { provisioned } })],
    [
      'concurrency.maxQueueSeconds',
      1,
      limits.limitQueueMaxSeconds,
      (maxQueueSeconds) => ({ concurrency: { onLimit: 'Queue', maxQueueSeconds } }),
    ],
    [
      'concurrency.maxQueued',
      1,
      limits.limitQueueMaxCalls,
      (maxQueued) => ({ concurrency: { onLimit: 'Queue', maxQueued } }),
    ],
    [
      'http.cors.maxAgeSeconds',
      0,
      limits.corsMaxAgeMaxSeconds,
      (maxAgeSeconds) => ({ http: { auth: 'None', cors: { maxAgeSeconds } } }),
    ],
    ['description', 0, limits.descriptionMaxChars, (length) => ({ description: 'x'.repeat(Math.max(0, length)) })],
    ['handler', 1, limits.handlerMaxChars, (length) => ({ handler: 'x'.repeat(Math.max(0, length)) })],
  ])('%s is bounded by the limits', (field, min, max, make) => {
    const parse = (value: number) => () => parseFunction({ metadata, spec: { ...spec, ...make(value) } });
    expect(problemsOf(parse(min))).toEqual([]);
    expect(problemsOf(parse(max))).toEqual([]);
    expect(problemsOf(parse(max + 1))).toEqual([`spec.${field}`]);
    if (field !== 'description') expect(problemsOf(parse(min - 1))).toEqual([`spec.${field}`]);
  });

  test('whatever comes, it is a Function or a ParseError', () => {
    fc.assert(
      fc.property(
        fc.object({
          key: fc.constantFrom(
            'metadata',
            'spec',
            'status',
            'name',
            'runtime',
            'handler',
            'code',
            'zip',
            'environment',
            'concurrency',
            'http',
          ),
          maxDepth: 4,
        }),
        (object) => {
          expect(() => {
            try {
              parseFunction(object);
            } catch (error) {
              if (!(error instanceof ParseError)) throw error;
            }
          }).not.toThrow();
        },
      ),
    );
  });

  test('a parsed function parses to itself', () => {
    const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{1,20}$/);
    const functions = fc.record({
      runtime: fc.constantFrom('nodejs20.x', 'python3.14'),
      handler: fc.stringMatching(/^\S{1,128}$/),
      code: fc.constantFrom(
        { zip: { sha256 } },
        { url: { url: 'https://example.com/f.zip', sha256 } },
        { inline: { files: [{ path: 'index.mjs', content: '' }] } },
      ),
      memoryMiB: fc.integer({ min: 128, max: 10_240 }),
      environment: fc.uniqueArray(fc.record({ name, value: fc.string() }), {
        selector: (entry) => entry.name,
        maxLength: 5,
      }),
    });
    fc.assert(
      fc.property(functions, (given) => {
        const once = parseFunction({ metadata, spec: given });
        expect(once.spec).toMatchObject(given);
        expect(parseFunction({ ...once, metadata })).toEqual(once);
      }),
    );
  });
});

test('parseFunctionVersion wants a complete snapshot', () => {
  const { runtime, handler } = spec;
  const version = {
    functionName: 'hello',
    lambdaName: 'hello',
    version: '$LATEST',
    revision: '0123456789',
    runtime,
    handler,
    code: { sha256, sizeBytes: 300 },
    memoryMiB: 128,
    timeoutSeconds: 3,
  };
  expect(parseFunctionVersion({ metadata, spec: version }).spec).toMatchObject({
    ...version,
    environment: [],
    perInstance: 1,
    logging: { format: 'Text' },
  });
  expect(
    problemsOf(() => parseFunctionVersion({ metadata, spec: { ...version, version: '0', revision: 'x' } })),
  ).toEqual(['spec.version', 'spec.revision']);
});

test('parseAlias', () => {
  const alias = {
    functionName: 'hello',
    name: 'live',
    functionVersion: '1',
    additionalVersion: { functionVersion: '2', weightPercent: 10 },
  };
  expect(parseAlias({ metadata, spec: alias }).spec).toEqual({ ...alias, description: '' });
  expect(
    problemsOf(() =>
      parseAlias({ metadata, spec: { ...alias, additionalVersion: { functionVersion: '2', weightPercent: 101 } } }),
    ),
  ).toEqual(['spec.additionalVersion.weightPercent']);
});

test('parsePool', () => {
  const pool = parsePool({
    metadata: { ...metadata, name: 'nodejs24.x' },
    spec: { runtime: 'nodejs24.x' },
    status: { replicas: 2 },
  });
  expect(pool.spec).toEqual({
    runtime: 'nodejs24.x',
    replicas: 0,
    minReplicas: 0,
    maxPods: limits.poolPodsDefault,
    idleSeconds: limits.poolIdleDefaultSeconds,
  });
  expect(pool.status).toEqual({ replicas: 2 });
});

test.each([
  ['text', '2026-11-21T19:44:05Z', Date.UTC(2026, 10, 21, 19, 44, 5)],
  ['microseconds', '2026-11-21T19:44:05.123456Z', Date.UTC(2026, 10, 21, 19, 44, 5, 123)],
  ['a Date', new Date(5), 5],
  ['a number', 5, undefined],
  ['no instant', 'soon', undefined],
])('instantMs: %s', (_reason, value, ms) => {
  expect(instantMs(value)).toBe(ms);
});
