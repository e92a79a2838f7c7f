import { describe, expect, test } from '@jest/globals';

import { isInUse, type MappingObservation, type MappingState, planState } from './plan-state.ts';

const fresh: MappingObservation = {
  isDeleting: false,
  isEnabled: true,
  generation: 1,
  last: null,
  polledGeneration: null,
  isBusy: false,
  isStuck: false,
};
const was = (state: MappingState, generation = 1) => ({ state, generation });

describe('state of a mapping', () => {
  test.each<[reason: string, over: Partial<MappingObservation>, want: MappingState]>([
    ['a new one is not polled yet', {}, 'Creating'],
    ['nor when that was said before', { last: was('Creating') }, 'Creating'],
    ['it is polled', { last: was('Creating'), polledGeneration: 1 }, 'Enabled'],
    ['its source cannot be opened: the condition says why', { last: was('Creating'), isStuck: true }, 'Enabled'],
    ['a new one that is not wanted', { isEnabled: false }, 'Disabled'],
    ['it is switched off while batches run', { isEnabled: false, last: was('Enabled'), isBusy: true }, 'Disabling'],
    ['the last of them has ended', { isEnabled: false, last: was('Disabling') }, 'Disabled'],
    ['it is switched on again', { generation: 2, last: was('Disabled') }, 'Enabling'],
    [
      'it is switched on again before it was off',
      { generation: 3, last: was('Disabling', 2), isBusy: true },
      'Enabling',
    ],
    ['on for a while, not polled yet', { generation: 2, last: was('Enabling', 2) }, 'Enabling'],
    ['on', { generation: 2, last: was('Enabling', 2), polledGeneration: 2 }, 'Enabled'],
    ['its batch size changes', { generation: 2, last: was('Enabled'), polledGeneration: 1, isBusy: true }, 'Updating'],
    ['the change is in force', { generation: 2, last: was('Updating', 2), polledGeneration: 2 }, 'Enabled'],
    ['its gateway has died: nobody polls for a moment', { last: was('Enabled') }, 'Enabled'],
    ['it is deleted while batches run', { isDeleting: true, polledGeneration: 1, isBusy: true }, 'Deleting'],
    ['it is deleted while off', { isDeleting: true, isEnabled: false }, 'Deleting'],
  ])('%s', (_reason, over, want) => {
    expect(planState({ ...fresh, ...over })).toBe(want);
  });

  test('a new one that is switched off at once is never Creating', () => {
    expect(planState({ ...fresh, isEnabled: false, last: was('Creating') })).toBe('Disabled');
  });
});

test.each<[state: MappingState, update: boolean, remove: boolean]>([
  ['Creating', true, false],
  ['Enabling', false, false],
  ['Enabled', false, false],
  ['Disabling', false, false],
  ['Disabled', false, false],
  ['Updating', false, true],
  ['Deleting', true, false],
])('%s: update refused %s, delete refused %s', (state, update, remove) => {
  expect([isInUse(state, 'update'), isInUse(state, 'delete')]).toEqual([update, remove]);
});
