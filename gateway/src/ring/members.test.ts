import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type EndpointSlice, endpointSlices } from '@kappa/crds/client/kinds';
import { connect } from '@kappa/crds/client/kubernetes';
import { FakeApi } from '@kappa/crds/client/testing';
import { type Member, mergeSlices, viewSlice, watchMembers } from './members.ts';
import { until } from './testing.ts';

/** A slice as the API server gives it. */
function slice(over: Record<string, unknown> = {}, endpoints: readonly unknown[] | null = []): EndpointSlice {
  const metadata = { name: 'peers-1', namespace: 'kappa-system', uid: 'u', resourceVersion: '1' };
  return endpointSlices.parse({ metadata, addressType: 'IPv4', ports: [{ port: 9200 }], endpoints, ...over });
}
const endpoint = (name: string, over: Record<string, unknown> = {}) => ({
  addresses: [`10.0.0.${name.length}`],
  targetRef: { kind: 'Pod', name },
  zone: 'z1',
  conditions: { ready: true, serving: true, terminating: false },
  ...over,
});
const member = (name: string, over: Partial<Member> = {}): Member => ({
  name,
  ip: `10.0.0.${name.length}`,
  port: 9200,
  zone: 'z1',
  terminating: false,
  ...over,
});

describe('viewSlice', () => {
  test.each<[reason: string, slice: EndpointSlice, want: readonly Member[]]>([
    ['an endpoint of a pod is a member', slice({}, [endpoint('a')]), [member('a')]],
    ['no endpoints at all', slice({}, null), []],
    [
      'one that is not ready yet is a member: it must be able to vote',
      slice({}, [endpoint('a', { conditions: { ready: false } })]),
      [member('a')],
    ], // prettier-ignore
    ['no conditions = not terminating', slice({}, [endpoint('a', { conditions: undefined })]), [member('a')]],
    [
      'on its way out',
      slice({}, [endpoint('a', { conditions: { terminating: true } })]),
      [member('a', { terminating: true })],
    ], // prettier-ignore
    ['no zone', slice({}, [endpoint('a', { zone: undefined })]), [member('a', { zone: '' })]],
    ['not of a pod', slice({}, [endpoint('a', { targetRef: undefined })]), []],
    ['without an address', slice({}, [endpoint('a', { addresses: [] })]), []],
    ['the port is the slice’s', slice({ ports: [{ port: 9300 }] }, [endpoint('a')]), [member('a', { port: 9300 })]],
    ['no port: the default', slice({ ports: [] }, [endpoint('a')]), [member('a', { port: 9999 })]],
    ['names are no addresses', slice({ addressType: 'FQDN' }, [endpoint('a')]), []],
  ])('%s', (_reason, given, want) => expect(viewSlice(given, 9999)).toEqual(want));
});

describe('mergeSlices', () => {
  test('sorted, each pod once, the first slice by key has the address; terminating in one is terminating', () => {
    const first = [member('b'), member('a')];
    const second = [member('a', { ip: 'fd00::1', terminating: true }), member('c')];
    expect(
      mergeSlices(
        new Map([
          ['2', second],
          ['1', first],
        ]),
      ),
    ).toEqual([member('a', { terminating: true }), member('b'), member('c')]); // prettier-ignore
  });
});

describe('watchMembers', () => {
  const collection = '/apis/discovery.k8s.io/v1/namespaces/kappa-system/endpointslices';
  let api: FakeApi;
  let stop: AbortController;
  beforeEach(async () => {
    api = await new FakeApi().start();
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await api.stop();
  });
  const put = (name: string, endpoints: readonly unknown[]): unknown =>
    api.put(collection, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, labels: { 'kubernetes.io/service-name': 'peers' } },
      addressType: 'IPv4',
      ports: [{ port: 9200 }],
      endpoints,
    });

  test('tells the whole list, first when it is complete, then when it has changed', async () => {
    put('peers-1', [endpoint('a')]);
    put('peers-2', [endpoint('b')]);
    const told: (readonly Member[])[] = [];
    const source = watchMembers({
      kubernetes: connect(api.kubeconfig),
      namespace: 'kappa-system',
      service: 'peers',
      defaultPort: 9200,
      signal: stop.signal,
    });
    source((members) => told.push(members));
    await until(() => told.length === 1);
    expect(told[0]).toEqual([member('a'), member('b')]);
    put('peers-2', [endpoint('b'), endpoint('cc')]);
    await until(() => told.length === 2);
    expect(told[1]).toEqual([member('a'), member('b'), member('cc')]);
  });
});
