import { expect, test } from '@jest/globals';

import { routed } from '../testing.ts';
import { isMine } from './line-owner.ts';

test.each<[reason: string, isKnown: boolean, isHeard: boolean, isOwner: boolean, index: number, want: boolean]>([
  ['the owner’s', true, true, true, 1, true],
  ['the owner’s, also when it does not hear of functions', true, false, true, 1, true],
  ['not another’s', true, true, false, 0, false],
  ['of a function that is gone: the first gateway’s', false, true, false, 0, true],
  ['and no other’s', false, true, false, 1, false],
  ['nor of a first gateway that does not hear of functions', false, false, false, 0, false],
])('a line is %s', (_reason, isKnown, isHeard, isOwner, index, want) => {
  const look = () => ({ fn: undefined, routed: isKnown ? routed() : undefined, versions: [], aliases: [] });
  const ownership = { isFirstOwner: () => isOwner, place: () => ({ index, count: 3 }) };
  expect(isMine('default/hello', { functions: { look }, hearsOfFunctions: () => isHeard }, ownership)).toBe(want);
});
