import { describe, expect, test } from '@jest/globals';
import { planCluster, resolveNode, resolveZone } from './plan.ts';

describe('planCluster', () => {
  test('gives each zone its nodes, with addresses of their own', () => {
    const plan = planCluster({ zones: 3, nodesPerZone: 2 });
    expect(plan.zones).toEqual(['zone-a', 'zone-b', 'zone-c']);
    expect(plan.nodes.map((node) => `${node.name} ${node.zone} ${node.address} ${node.podRange}`)).toEqual([
      'node-a1 zone-a 172.30.0.11 10.244.1.0/24',
      'node-a2 zone-a 172.30.0.12 10.244.2.0/24',
      'node-b1 zone-b 172.30.0.13 10.244.3.0/24',
      'node-b2 zone-b 172.30.0.14 10.244.4.0/24',
      'node-c1 zone-c 172.30.0.15 10.244.5.0/24',
      'node-c2 zone-c 172.30.0.16 10.244.6.0/24',
    ]);
  });

  test('keeps the largest cluster within its address ranges and names within 15 characters', () => {
    const { nodes } = planCluster({ zones: 26, nodesPerZone: 9 });
    expect(new Set(nodes.map((node) => node.address)).size).toBe(234);
    expect(nodes.at(-1)).toMatchObject({ address: '172.30.0.244', podRange: '10.244.234.0/24' });
    expect(nodes.every((node) => node.port.length <= 15)).toBe(true);
  });

  test.each([
    ['no zone', { zones: 0, nodesPerZone: 1 }],
    ['more zones than letters', { zones: 27, nodesPerZone: 1 }],
    ['half a node', { zones: 3, nodesPerZone: 1.5 }],
    ['no number', { zones: Number.NaN, nodesPerZone: 1 }],
    ['ten nodes in a zone', { zones: 1, nodesPerZone: 10 }],
  ])('refuses %s', (_reason, size) => expect(() => planCluster(size)).toThrow(RangeError));
});

describe('names', () => {
  const plan = planCluster({ zones: 2, nodesPerZone: 1 });

  test('a zone is found by its name and by its letter', () => {
    expect(resolveZone(plan, 'b')).toEqual(resolveZone(plan, 'zone-b'));
    expect(resolveZone(plan, 'b').map((node) => node.name)).toEqual(['node-b1']);
  });

  test('an unknown name is refused with the known ones', () => {
    expect(() => resolveZone(plan, 'c')).toThrow('there are zone-a, zone-b');
    expect(() => resolveNode(plan, 'b1')).toThrow('there are node-a1, node-b1');
  });
});
