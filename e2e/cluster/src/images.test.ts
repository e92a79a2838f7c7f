import { expect, test } from '@jest/globals';
import { parseArchiveNames, resolveReference } from './images.ts';
import { makeDropRules } from './network.ts';
import { planCluster } from './plan.ts';

test.each([
  ['a bare name', 'redis', 'docker.io/library/redis:latest'],
  ['a name with a tag', 'redis:8', 'docker.io/library/redis:8'],
  ['a path', 'kappa/gateway:1', 'docker.io/kappa/gateway:1'],
  ['a registry', 'ghcr.io/kappa/gateway:1', 'ghcr.io/kappa/gateway:1'],
  ['a registry with a port', 'registry:5000/gateway', 'registry:5000/gateway:latest'],
  ['the local registry', 'localhost/pause:1', 'localhost/pause:1'],
  ['a digest', 'a/b@sha256:00', 'docker.io/a/b@sha256:00'],
])('%s means what the kubelet takes it for', (_reason, name, reference) =>
  expect(resolveReference(name)).toBe(reference),
);

test('an archive names its images by annotation, containerd’s own first', () => {
  const named = { 'org.opencontainers.image.ref.name': '1', 'io.containerd.image.name': 'localhost/pause:1' };
  const manifests = [
    { annotations: named },
    { annotations: { 'org.opencontainers.image.ref.name': 'kappa/gateway:1' } },
    { digest: 'sha256:00' },
  ];
  expect(parseArchiveNames(JSON.stringify({ manifests }))).toEqual(['localhost/pause:1', 'kappa/gateway:1']);
  expect(parseArchiveNames('{}')).toEqual([]);
});

test('a drop holds both ways, for nodes, zones, the control namespace and addresses', () => {
  const plan = planCluster({ zones: 2, nodesPerZone: 1 });
  const rules = makeDropRules(plan, [
    { a: 'node-a1', b: 'b' },
    { a: 'ctl', b: '10.244.1.7' },
  ]);
  const a = '{ 172.30.0.11, 10.244.1.0/24 }';
  const b = '{ 172.30.0.12, 10.244.2.0/24 }';
  const control = '{ 172.30.0.1, 198.51.100.1 }';
  for (const rule of [
    `ip saddr ${a} ip daddr ${b} drop`,
    `ip saddr ${b} ip daddr ${a} drop`,
    `ip saddr ${control} ip daddr { 10.244.1.7 } drop`,
    `ip saddr { 10.244.1.7 } ip daddr ${control} drop`,
  ]) {
    expect(rules.split('\n').filter((line) => line === rule)).toHaveLength(3); // input, output, forward
  }
  expect(() => makeDropRules(plan, [{ a: 'node-z9', b: 'ctl' }])).toThrow(RangeError);
});
