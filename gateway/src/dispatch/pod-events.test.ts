import { expect, test } from '@jest/globals';

import { defaultLimits } from './limits.ts';
import { PodEvents, type PodEventsDeps } from './pod-events.ts';
import type { PodLink } from './pod-link.ts';

test.each<[what: string, pod: object, versionUid: string | null]>([
  ['the version that it has told of', { claim: { versionUid: 'told' }, slot: null }, 'told'],
  ['what it was given, before it tells', { claim: null, slot: { version: { uid: 'given' } } }, 'given'],
  [
    'what it has told, though it was given another',
    { claim: { versionUid: 'told' }, slot: { version: { uid: 'given' } } },
    'told',
  ],
  ['nobody, while it is generic', { claim: null, slot: null }, null],
])('lines of a pod are those of %s', (_what, pod, versionUid) => {
  const heard: string[] = [];
  const deps: Partial<PodEventsDeps> = { limits: defaultLimits, logged: (uid) => void heard.push(uid) };
  const events = new PodEvents(deps as PodEventsDeps);
  events.logged(pod as PodLink, { stream: 's', first: 0, entries: Buffer.alloc(0) });
  expect(heard).toEqual(versionUid === null ? [] : [versionUid]);
});
