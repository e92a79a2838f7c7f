import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from './api.ts';
import { useCluster } from './cluster.ts';

const cluster = useCluster();

const names = async (plural: string, query: Record<string, string>): Promise<string[]> => {
  const { items } = await cluster.api.ok('GET', cluster.core(plural), { query });
  return items.map((one: Json) => one.metadata.name).sort();
};

describe('label selectors', () => {
  beforeAll(async () => {
    const labelled: Record<string, Json> = {
      a: { app: 'web', tier: 'front', set: 's' },
      b: { app: 'web', tier: 'back', set: 's' },
      c: { app: 'db', set: 's' },
      d: { set: 's' },
    };
    for (const [name, labels] of Object.entries(labelled)) {
      await cluster.api.ok('POST', cluster.core('configmaps'), {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } },
      });
    }
  });

  test.each<[selector: string, want: string[]]>([
    ['app=web', ['a', 'b']],
    ['app==web,tier=front', ['a']],
    ['app!=web,set=s', ['c', 'd']],
    ['app in (web, db)', ['a', 'b', 'c']],
    ['app notin (web),set', ['c', 'd']],
    ['tier', ['a', 'b']],
    ['!tier,set', ['c', 'd']],
    ['app=web,tier notin (front)', ['b']],
    ['app=nobody', []],
  ])('%s', async (labelSelector, want) => {
    expect(await names('configmaps', { labelSelector })).toEqual(want);
  });

  test.each(['app in web', 'a=b=c', '=x', 'app in ()x'])('%s cannot be parsed', async (labelSelector) => {
    const answer = await cluster.api.send('GET', cluster.core('configmaps'), { query: { labelSelector } });
    expect(answer).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
  });
});

describe('field selectors', () => {
  beforeAll(async () => {
    for (const [name, restartPolicy] of [
      ['always', 'Always'],
      ['never', 'Never'],
    ]) {
      const spec = { schedulerName: 'nobody', restartPolicy, containers: [{ name: 'c', image: 'none.invalid/none' }] };
      await cluster.api.ok('POST', cluster.core('pods'), {
        body: { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec },
      });
    }
    await cluster.api.ok('POST', cluster.core('secrets'), {
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'typed' }, type: 'contract.kappa.dev/x' },
    });
  });

  test.each<[plural: string, fieldSelector: string, want: string[]]>([
    ['pods', 'metadata.name=always', ['always']],
    ['pods', 'spec.restartPolicy=Never', ['never']],
    ['pods', 'spec.nodeName=', ['always', 'never']],
    ['pods', 'spec.nodeName!=', []],
    ['pods', 'status.phase=Pending', ['always', 'never']],
    ['pods', 'status.phase!=Pending', []],
    ['pods', 'status.phase=Pending,metadata.name!=always', ['never']],
    ['secrets', 'type=contract.kappa.dev/x', ['typed']],
  ])('%s: %s', async (plural, fieldSelector, want) => {
    expect(await names(plural, { fieldSelector })).toEqual(want);
  });

  test('a namespace is a field too', async () => {
    const query = { fieldSelector: `metadata.namespace=${cluster.namespace},metadata.name=never` };
    const { items } = await cluster.api.ok('GET', '/api/v1/pods', { query });
    expect(items).toHaveLength(1);
  });

  test('a field that cannot be selected is a bad request', async () => {
    const answer = await cluster.api.send('GET', cluster.core('pods'), {
      query: { fieldSelector: 'spec.containers=x' },
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('field label not supported') },
    });
  });
});
