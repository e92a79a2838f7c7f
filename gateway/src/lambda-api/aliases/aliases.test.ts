import { expect, test } from '@jest/globals';

import { aliasObjectName } from './find.ts';
import { additionalOf, routingConfig } from './routing-input.ts';

test('aliases of different functions never meet in one object name', () => {
  const names = [
    aliasObjectName('a-b', 'c'),
    aliasObjectName('a', 'b-c'),
    aliasObjectName('a', 'B-C'),
    aliasObjectName('a.a.b', 'c'),
    aliasObjectName('a', 'b'),
    aliasObjectName('a', 'x'.repeat(128)),
    aliasObjectName('a', `${'x'.repeat(127)}y`),
  ];
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
  expect(aliasObjectName('f'.repeat(150), 'x'.repeat(128)).length).toBeLessThanOrEqual(253);
});

test('weights are whole percents both ways', () => {
  const additional = additionalOf('1', { AdditionalVersionWeights: { 2: 0.29 } });
  expect(additional).toEqual({ functionVersion: '2', weightPercent: 29 });
  expect(routingConfig(additional ?? undefined)).toEqual({ RoutingConfig: { AdditionalVersionWeights: { 2: 0.29 } } });
  expect(additionalOf('1', undefined)).toBeNull();
  expect(additionalOf('1', { AdditionalVersionWeights: {} })).toBeNull();
  expect(routingConfig(undefined)).toEqual({});
});

test.each<[reason: string, version: string, weights: Record<string, number>]>([
  ['itself', '1', { 1: 0.5 }],
  ['two', '1', { 2: 0.1, 3: 0.1 }],
  ['$LATEST as the second', '1', { $LATEST: 0.1 }],
  ['$LATEST as the first', '$LATEST', { 1: 0.1 }],
  ['half a percent', '1', { 2: 0.005 }],
])('a share with %s is refused', (_reason, version, weights) => {
  expect(() => additionalOf(version, { AdditionalVersionWeights: weights })).toThrow();
});
