import { expect, test } from '@jest/globals';
import { darkZones } from './dark-zones.ts';

type Gateway = readonly [zone: string, isMissed: boolean, terminating?: boolean];

test.each<[reason: string, gateways: readonly Gateway[], dark: readonly string[]]>([
  [
    'all are heard',
    [
      ['b', false],
      ['c', false],
    ],
    [],
  ],
  [
    'the only one of a zone is missed',
    [
      ['b', true],
      ['c', false],
    ],
    ['b'],
  ],
  [
    'one of two is not',
    [
      ['b', true],
      ['b', false],
    ],
    [],
  ],
  [
    'all of two zones',
    [
      ['b', true],
      ['c', true],
      ['b', true],
    ],
    ['b', 'c'],
  ],
  ['the own zone is not', [['a', true]], []],
  ['nor an unknown one', [['', true]], []],
  ['who is on its way out says nothing of its zone', [['b', true, true]], []],
])('%s', (_reason, gateways, dark) => {
  const members = gateways.map(([zone, , terminating = false], at) => ({ name: `${at}`, zone, terminating }));
  expect([...darkZones(members, 'a', (name) => gateways[Number(name)]?.[1] === true)].sort()).toEqual(dark);
});
