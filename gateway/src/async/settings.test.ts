import { expect, test } from '@jest/globals';

import { functionView } from '../testing.ts';
import { defaultSettings, settingsOf } from './settings.ts';

const eventInvoke = [
  { qualifier: '$LATEST', maximumRetryAttempts: 0, onSuccess: 'arn:s', onFailure: 'arn:f' },
  { qualifier: 'live', maximumEventAgeSeconds: 60 },
];

test.each<[reason: string, view: Parameters<typeof functionView>[0], qualifier: string | undefined, want: object]>([
  ['nothing is said', {}, undefined, defaultSettings],
  [
    'no qualifier is $LATEST',
    { eventInvoke },
    undefined,
    {
      maxRetryAttempts: 0,
      maxAgeMs: 21_600_000,
      onSuccess: 'arn:s',
      onFailure: [{ kind: 'destination', arn: 'arn:f' }],
    },
  ],
  ['an alias has its own', { eventInvoke }, 'live', { ...defaultSettings, maxAgeMs: 60_000 }],
  ['and inherits nothing', { eventInvoke }, '7', defaultSettings],
  [
    'the dead-letter queue is for all',
    { eventInvoke, deadLetterTarget: 'arn:d' },
    '7',
    { ...defaultSettings, onFailure: [{ kind: 'deadLetter', arn: 'arn:d' }] },
  ],
])('%s', (_reason, view, qualifier, want) => {
  expect(settingsOf(functionView(view), qualifier)).toEqual(want);
});
