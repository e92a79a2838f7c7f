import { describe, expect, test } from '@jest/globals';
import type { FunctionObject } from '@kappa/crds/function';

import { environmentEntries, literalVariables } from './environment.ts';
import { type SettingsInput, withSettings } from './settings.ts';

const before: FunctionObject['spec'] = {
  description: 'was',
  runtime: 'nodejs24.x',
  handler: 'index.handler',
  code: { zip: { sha256: 'ab'.repeat(32) } },
  memoryMiB: 128,
  timeoutSeconds: 3,
  environment: [{ name: 'AA', value: '1' }],
  concurrency: { provisioned: 0, perInstance: 1 },
  logging: { format: 'Text' },
  idleTimeoutSeconds: 300,
  compatibility: { TracingConfig: '{"Mode":"Active"}' },
};

test.each<[reason: string, input: SettingsInput, change: object]>([
  ['nothing', {}, {}],
  ['an empty description', { Description: '' }, { description: '' }],
  ['memory and time', { MemorySize: 1769, Timeout: 900 }, { memoryMiB: 1769, timeoutSeconds: 900 }],
  ['an environment', { Environment: { Variables: { BB: '2' } } }, { environment: [{ name: 'BB', value: '2' }] }],
  ['no environment', { Environment: {} }, { environment: [] }],
  ['a dead letter target', { DeadLetterConfig: { TargetArn: 'arn:x' } }, { deadLetterTarget: 'arn:x' }],
  ['none any more', { DeadLetterConfig: {} }, { deadLetterTarget: '' }],
  ['what is only kept', { KMSKeyArn: 'arn:k' }, { compatibility: { ...before.compatibility, KMSKeyArn: '"arn:k"' } }],
  ['an end of it', { TracingConfig: {} }, { compatibility: {} }],
  ['a VPC of nothing', { VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } }, {}],
  [
    'logging: its form and levels have effect, the rest is kept',
    { LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'ERROR', SystemLogLevel: 'WARN', LogGroup: 'g' } },
    {
      logging: { format: 'JSON', applicationLevel: 'ERROR', systemLevel: 'WARN' },
      compatibility: { ...before.compatibility, LoggingConfig: '{"LogGroup":"g"}' },
    },
  ],
])('%s', (_reason, input, change) => {
  expect(withSettings(before, input)).toEqual({ ...before, ...change });
});

test.each<[member: string, input: SettingsInput]>([
  ['DurableConfig', { DurableConfig: { RetentionPeriodInDays: 1 } }],
  ['TenancyConfig', { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } }],
  ['ImageConfig', { ImageConfig: {} }],
])('%s is refused, not kept', (member, input) => {
  expect(() => withSettings(before, input)).toThrow(member);
});

test('snapshots are for the runtimes that Lambda has them for, and None is for all', () => {
  const SnapStart = { ApplyOn: 'PublishedVersions' } as const;
  expect(() => withSettings(before, { SnapStart })).toThrow('nodejs24.x is not supported for SnapStart enabled');
  expect(withSettings(before, { SnapStart, Runtime: 'python3.13' }).compatibility).toHaveProperty('SnapStart');
  expect(withSettings(before, { SnapStart: { ApplyOn: 'None' } }).compatibility).toHaveProperty('SnapStart');
});

describe('environment', () => {
  const reference = { name: 'SECRET', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } };

  test('literals are replaced, references that the API cannot say stay', () => {
    const entries = environmentEntries({ BB: '2' }, [{ name: 'AA', value: '1' }, reference]);
    expect(entries).toEqual([{ name: 'BB', value: '2' }, reference]);
    expect(literalVariables(entries)).toEqual({ BB: '2' });
    expect(environmentEntries({ SECRET: 'x' }, [reference])).toEqual([{ name: 'SECRET', value: 'x' }]);
  });

  test('4 KiB are measured as Lambda does', () => {
    expect(environmentEntries({ AA: 'x'.repeat(4096 - '{"AA":""}'.length) }, [])).toHaveLength(1);
    expect(() => environmentEntries({ AA: 'x'.repeat(4097 - '{"AA":""}'.length) }, [])).toThrow(
      'exceeded the 4KB limit',
    );
  });

  test('reserved names are named', () => {
    expect(() => environmentEntries({ AWS_REGION: 'x', KAPPA_X: 'y', OK: 'z' }, [])).toThrow(
      /Reserved keys used in this request: AWS_REGION, KAPPA_X$/,
    );
  });
});
