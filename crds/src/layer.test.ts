import { describe, expect, test } from '@jest/globals';
import {
  layerObjectName,
  layerVersionArn,
  mayUseLayer,
  parseLayer,
  parseLayerArn,
  parseLayerVersionArn,
} from './layer.ts';

const arn = 'arn:aws:lambda:us-east-1:123456789012:layer:My_Layer:7';

test('an ARN says region, account, name and version', () => {
  const parts = { region: 'us-east-1', accountId: '123456789012', layerName: 'My_Layer', version: 7 };
  expect(parseLayerVersionArn(arn)).toEqual(parts);
  expect(layerVersionArn(parts)).toBe(arn);
  expect(parseLayerArn(arn.slice(0, -2))).toEqual({ ...parts, version: null });
});

test.each<[reason: string, text: string]>([
  ['a name', 'My_Layer:7'],
  ['a function', 'arn:aws:lambda:us-east-1:123456789012:function:f:7'],
  ['without a version', arn.slice(0, -2)],
  ['version 0', `${arn.slice(0, -1)}0`],
  ['no number', `${arn.slice(0, -1)}x`],
  ['a long name', `arn:aws:lambda:us-east-1:123456789012:layer:${'x'.repeat(141)}:1`],
  ['more behind it', `${arn}:8`],
])('no ARN of a layer version: %s', (_reason, text) => {
  expect(parseLayerVersionArn(text)).toBeNull();
});

test('objects of different layer versions never meet', () => {
  const names = [
    layerObjectName('a', 1),
    layerObjectName('A', 1),
    layerObjectName('a', 11),
    layerObjectName('a-v1', 1),
    layerObjectName('a_v1', 1),
    layerObjectName('-a', 1),
    layerObjectName('x'.repeat(140), 999_999_999),
    layerObjectName('_'.repeat(140), 999_999_999),
  ];
  expect(new Set(names).size).toBe(names.length);
  expect(names[0]).toBe('a-v1');
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
});

describe('who may use a layer', () => {
  const layer = (permissions: object[]) =>
    parseLayer({
      metadata: { name: 'a-v1', namespace: 'default' },
      spec: { layerName: 'a', version: 1, code: { zip: { sha256: 'ab'.repeat(32) } }, permissions },
    });

  test.each<[reason: string, permissions: object[], accountId: string, want: boolean]>([
    ['its own account', [], '000000000000', true],
    ['no other', [], '111111111111', false],
    ['the one that is named', [{ sid: 'a', principal: '111111111111' }], '111111111111', true],
    ['not one that is not', [{ sid: 'a', principal: '111111111111' }], '222222222222', false],
    ['all', [{ sid: 'a', principal: '*' }], '222222222222', true],
    [
      'nobody of an organization',
      [{ sid: 'a', principal: '*', organizationId: 'o-abcdefghij' }],
      '222222222222',
      false,
    ],
  ])('%s', (_reason, permissions, accountId, want) => {
    expect(mayUseLayer(layer(permissions), '000000000000', accountId)).toBe(want);
  });
});
