import { expect, test } from '@jest/globals';
import { darkZones } from './dark-zones.ts';

const limits = { quietTicks: 3, darkTicks: 40 };

test.each<[reason: string, gateways: [zone: string, ticks: number, terminating?: boolean][], dark: string[]]>([
  ['all are heard', [['b', 0], ['c', 2]], []], // biome-ignore format: one row, one case
  ['the only one of a zone is quiet', [['b', 3], ['c', 1]], ['b']], // biome-ignore format: one row, one case
  ['one of two is not', [['b', 3], ['b', 0]], []], // biome-ignore format: one row, one case
  ['all of two zones', [['b', 3], ['c', 9], ['b', 5]], ['b', 'c']], // biome-ignore format: one row, one case
  ['pods have told by then', [['b', 40]], []],
  ['nobody was ever heard there', [['b', Number.POSITIVE_INFINITY]], []],
  ['the own zone is not', [['a', 5]], []],
  ['nor an unknown one', [['', 5]], []],
  ['who is on its way out says nothing of its zone', [['b', 5, true]], []],
])('%s', (_reason, gateways, dark) => {
  const members = gateways.map(([zone, , terminating = false], at) => ({ name: `${at}`, zone, terminating }));
  const silentTicks = (name: string): number => gateways[Number(name)]?.[1] ?? 0;
  expect([...darkZones(members, 'a', silentTicks, limits)].sort()).toEqual(dark);
});
