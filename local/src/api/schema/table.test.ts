import { describe, expect, test } from '@jest/globals';
import { formatAge } from './age.ts';
import type { JsonObject } from './json.ts';
import { JsonPathError, parseJsonPath } from './json-path.ts';
import { type ColumnsSource, tableFor } from './table.ts';

const nowMs = Date.parse('2026-01-01T01:00:00Z');
const metadata = { name: 'x', namespace: 'd', creationTimestamp: '2026-01-01T00:55:00Z' };

/** The row as an object by column name. */
function row(source: ColumnsSource, object: JsonObject): Record<string, unknown> {
  const table = tableFor(source, [object], nowMs) as {
    columnDefinitions: { name: string }[];
    rows: { cells: unknown[] }[];
  };
  return Object.fromEntries(table.columnDefinitions.map(({ name }, index) => [name, table.rows[0]?.cells[index]]));
}

test.each<[ageMs: number, want: string]>([
  [-3_000, '<invalid>'],
  [-1_000, '0s'],
  [119_000, '119s'],
  [200_000, '3m20s'],
  [180_000, '3m'],
  [3_600_000, '60m'],
  [4 * 3_600_000, '4h'],
  [30 * 3_600_000, '30h'],
  [52 * 3_600_000, '2d4h'],
  [800 * 86_400_000, '2y70d'],
])('an age of %d ms is %s', (ageMs, want) => {
  expect(formatAge(ageMs)).toBe(want);
});

describe('JSON paths', () => {
  const root = {
    status: {
      conditions: [
        { type: 'A', status: 'x' },
        { type: 'Ready', status: 'True' },
      ],
      'a.b': 1,
      list: [1, 2, 3],
      n: { k: 'v' },
    },
  };
  test.each<[path: string, want: unknown[]]>([
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type=='None')].status", []],
    ['.status.list[0]', [1]],
    ['.status.list[-1]', [3]],
    ['.status.list[*]', [1, 2, 3]],
    ['.status.conditions[*].type', ['A', 'Ready']],
    [".status['a.b']", [1]],
    ['.status.a\\.b', [1]],
    ['$.status.n.k', ['v']],
    ['.status.missing.deeper', []],
    ['.status.n.*', ['v']],
  ])('%s', (path, want) => {
    expect(parseJsonPath(path)(root)).toEqual(want);
  });

  test.each(['..status', '.a[', '.a[?(@.b'])('%s is refused', (path) => {
    expect(() => parseJsonPath(path)).toThrow(JsonPathError);
  });
});

describe('custom resources', () => {
  const source = (additionalPrinterColumns: unknown): ColumnsSource => ({
    apiVersion: 'a.dev/v1',
    kind: 'A',
    additionalPrinterColumns,
  });

  test('without columns there are name and age', () => {
    expect(row(source([]), { metadata })).toEqual({ Name: 'x', Age: '5m' });
  });

  test('cells have the type of their column, or are empty', () => {
    const columns = [
      { name: 'Text', type: 'string', jsonPath: '.spec.text' },
      { name: 'Map', type: 'string', jsonPath: '.spec.map' },
      { name: 'Count', type: 'integer', jsonPath: '.spec.count', priority: 1 },
      { name: 'Wrong', type: 'integer', jsonPath: '.spec.text' },
      { name: 'When', type: 'date', jsonPath: '.spec.when' },
      { name: 'Never', type: 'date', jsonPath: '.spec.text' },
      { name: 'Yes', type: 'boolean', jsonPath: '.spec.yes' },
      { name: 'Gone', type: 'string', jsonPath: '.spec.gone' },
    ];
    const spec = { text: 't', map: { a: 1 }, count: 3, when: '2026-01-01T00:59:00Z', yes: true };
    expect(row(source(columns), { metadata, spec })).toEqual({
      Name: 'x',
      Text: 't',
      Map: '{"a":1}',
      Count: 3,
      Wrong: null,
      When: '60s',
      Never: '<invalid>',
      Yes: true,
      Gone: null,
    });
  });

  test('rows carry the metadata that clients need', () => {
    const table = tableFor(source([]), [{ metadata }], nowMs, { metadata: { resourceVersion: '7' } });
    expect(table).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '7' },
      rows: [{ object: { kind: 'PartialObjectMetadata', metadata } }],
    });
  });
});

describe('pods', () => {
  const pod = (status: JsonObject, more: JsonObject = {}): JsonObject => ({
    metadata: { ...metadata, ...more },
    spec: { containers: [{ name: 'c' }], nodeName: 'n1' },
    status,
  });
  const running = { name: 'c', ready: true, restartCount: 0, state: { running: {} } };
  const ended = (exitCode: number, reason?: string) => ({
    name: 'c',
    ready: false,
    restartCount: 2,
    state: { terminated: { exitCode, ...(reason === undefined ? {} : { reason }) } },
    lastState: { terminated: { finishedAt: '2026-01-01T00:58:00Z' } },
  });
  const deleted = { deletionTimestamp: '2026-01-01T01:00:00Z' };

  test.each<[reason: string, object: JsonObject, want: JsonObject]>([
    [
      'a running pod',
      pod({ phase: 'Running', containerStatuses: [running] }),
      { Ready: '1/1', Status: 'Running', Restarts: '0', Age: '5m' },
    ],
    ['a new pod', pod({ phase: 'Pending' }), { Ready: '0/1', Status: 'Pending' }],
    ['a deleted pod', pod({ phase: 'Running', containerStatuses: [running] }, deleted), { Status: 'Terminating' }],
    [
      'a deleted pod that had ended',
      pod({ phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] }, deleted),
      { Status: 'Completed' },
    ],
    [
      'a crash loop',
      pod({
        phase: 'Running',
        containerStatuses: [{ ...ended(1), state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      }),
      { Status: 'CrashLoopBackOff', Restarts: '2 (2m ago)' },
    ],
    ['a failed pod', pod({ phase: 'Failed', containerStatuses: [ended(1, 'Error')] }), { Status: 'Error' }],
    [
      'an exit code without a reason',
      pod({ phase: 'Failed', containerStatuses: [ended(3)] }),
      { Status: 'ExitCode:3' },
    ],
    ['an evicted pod', pod({ phase: 'Failed', reason: 'Evicted' }), { Status: 'Evicted' }],
    [
      'a pod that initializes',
      pod({ phase: 'Pending', initContainerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }] }),
      { Status: 'Init:0/0' },
    ],
    [
      'wide columns',
      pod({ phase: 'Running', podIPs: [{ ip: '127.0.0.9' }] }),
      { IP: '127.0.0.9', Node: 'n1', 'Nominated Node': '<none>', 'Readiness Gates': '<none>' },
    ],
  ])('%s', (_reason, object, want) => {
    expect(row({ apiVersion: 'v1', kind: 'Pod' }, object)).toMatchObject(want);
  });
});

test.each<[reason: string, apiVersion: string, kind: string, object: JsonObject, want: JsonObject]>([
  [
    'a node',
    'v1',
    'Node',
    {
      metadata: { ...metadata, labels: { 'node-role.kubernetes.io/worker': '' } },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        nodeInfo: { kubeletVersion: 'v1' },
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      },
    },
    { Status: 'Ready', Roles: 'worker', Version: 'v1', 'Internal-IP': '127.0.0.1' },
  ],
  ['a namespace', 'v1', 'Namespace', { metadata, status: { phase: 'Active' } }, { Status: 'Active' }],
  ['a secret', 'v1', 'Secret', { metadata, type: 'Opaque', data: { a: '', b: '' } }, { Type: 'Opaque', Data: 2 }],
  ['a lease', 'coordination.k8s.io/v1', 'Lease', { metadata, spec: { holderIdentity: 'me' } }, { Holder: 'me' }],
  [
    'a service',
    'v1',
    'Service',
    {
      metadata,
      spec: {
        type: 'ClusterIP',
        clusterIPs: ['10.0.0.1'],
        ports: [{ port: 80, protocol: 'TCP' }],
        selector: { a: 'b' },
      },
    },
    { 'Cluster-IP': '10.0.0.1', 'External-IP': '<none>', 'Port(s)': '80/TCP', Selector: 'a=b' },
  ],
  [
    'a slice',
    'discovery.k8s.io/v1',
    'EndpointSlice',
    {
      metadata,
      addressType: 'IPv4',
      ports: [{ port: 80 }],
      endpoints: [{ addresses: ['1', '2'] }, { addresses: ['3', '4'] }],
    },
    { Ports: '80', Endpoints: '1,2,3 + 1 more...' },
  ],
  [
    'an event',
    'events.k8s.io/v1',
    'Event',
    {
      metadata,
      type: 'Normal',
      reason: 'R',
      note: 'said ',
      regarding: { kind: 'Pod', name: 'p' },
      eventTime: '2026-01-01T00:59:30.000000Z',
      reportingController: 'k',
      reportingInstance: 'i',
    },
    { 'Last Seen': '30s', Object: 'pod/p', Message: 'said', Source: 'k, i', Count: 1 },
  ],
])('%s has its own columns', (_reason, apiVersion, kind, object, want) => {
  expect(row({ apiVersion, kind }, object)).toMatchObject(want);
});
