import { functions, functionVersions } from '@kappa/crds/client/kinds';
import { makeVersionSpec } from '@kappa/crds/version-snapshot';

import type { Sight } from '../registry/directory.ts';
import type { ApiDeps, OperationCall } from './call.ts';
import { Objects } from './objects.ts';
import { FakeObjects, functionSpec } from './testing.ts';
import { testUploads } from './uploads/testing.ts';
import { versionObjectName } from './versions/publish.ts';

/** Account of every call in tests. */
export const testAccount = '000000000000';
/** The ARN of a function of that account. */
export const testArn = (name: string): string => `arn:aws:lambda:us-east-1:${testAccount}:function:${name}`;

/** Handlers of the Lambda API against objects in memory; what a gateway has seen of them is `sight`. */
export class TestApi {
  readonly kubernetes = new FakeObjects();
  /** Epoch milliseconds. */
  nowMs = Date.parse('2026-11-22T01:02:03.000Z');
  /** What the gateway has seen, by namespace/name. */
  readonly sights = new Map<string, Partial<Sight>>();
  readonly deps: ApiDeps;

  constructor(more: Partial<ApiDeps> = {}) {
    let ticks = 0;
    const none = { fn: undefined, routed: undefined, versions: [], aliases: [] };
    const directory = {
      look: (key: string) => ({ ...none, ...this.sights.get(key) }),
      locate: () => Promise.resolve(undefined),
      ofAccount: () => [],
      podsOf: () => [],
    };
    const parts = {
      objects: new Objects({ kubernetes: this.kubernetes, sleep: () => Promise.resolve(), random: () => 0 }),
      directory,
      ...testUploads(),
      region: 'us-east-1',
      systemNamespace: 'kappa-system',
      accountConcurrency: 1000,
      arnOf: (_account: string, name: string) => testArn(name),
      now: () => this.nowMs,
      nowMs: () => (ticks += 500), // waiting for what the gateway sees is over at once
      sleep: () => Promise.resolve(),
      ...more,
    };
    this.deps = parts as unknown as ApiDeps; // without blobs and links: handlers that need them have tests of their own
  }

  /** A call about a function of the namespace `default`. */
  call<Input>(input: Input, name = 'f', qualifier: string | null = null): OperationCall<Input> {
    return {
      input,
      principal: { accessKeyId: 'AKTEST', accounts: null } as unknown as OperationCall<Input>['principal'],
      accountId: testAccount,
      namespace: 'default',
      requestId: '00000000-0000-4000-8000-000000000000',
      origin: 'http://127.0.0.1:9000',
      fn: { name, qualifier, arn: testArn(name) },
    };
  }

  /** A function that is there, with so many published versions. */
  async function(name = 'f', spec: object = {}, versions = 0): Promise<void> {
    this.kubernetes.set('functions', 'default', name, { spec: { ...functionSpec, ...spec } });
    const fn = await this.kubernetes.get(functions, 'default', name);
    for (let number = 1; number <= versions; number += 1) {
      const version = { ...makeVersionSpec(fn, { sha256: 'ab'.repeat(32), sizeBytes: 5 }), version: String(number) };
      const objectName = versionObjectName(name, String(number));
      this.kubernetes.set(functionVersions.plural, 'default', objectName, { spec: version });
    }
  }

  /** An alias of a function. */
  alias(name: string, version: string, fn = 'f'): void {
    const spec = { functionName: fn, name, functionVersion: version };
    this.kubernetes.set('aliases', 'default', `${fn}.a.${name}`, { spec });
  }
}
