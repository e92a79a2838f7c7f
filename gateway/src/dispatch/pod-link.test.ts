import { expect, test } from '@jest/globals';

import { type DialOwner, LinkError, type PodConnection, type PodState, type Welcome } from '../link/link.ts';
import type { Call } from './call.ts';
import { PodLink } from './pod-link.ts';
import type { PodLinkOwner } from './pod-link-owner.ts';
import type { PodUse } from './pod-use.ts';
import type { Slot, SlotState } from './slot.ts';
import { makeKeys } from './testing-agent.ts';
import type { PoolPod } from './types.ts';

/* The table above PodUse, row by row: what a pod is used for, what is heard of it, and what comes of it. */

const podNow: PoolPod = {
  name: 'p',
  uid: 'p',
  ip: '10.0.0.1',
  zone: 'a',
  pool: 'nodejs24.x',
  ready: true,
  terminating: false,
  state: 'generic',
  versionUid: null,
};
const generic: PodState = { claim: null, holder: null, busy: [] };
const heldBy = (gatewayId: string, busy: readonly string[] = []): PodState => ({
  claim: { versionUid: 'v' },
  holder: { gatewayId, epoch: 7 },
  busy,
});
const { privateKey } = makeKeys();

/** A pod with its link open, and all that its owner and its agent are told, in words. */
function start(welcome: PodState = generic) {
  const told: string[] = [];
  const say = (word: string) => () => void told.push(word);
  let link: DialOwner | undefined;
  const connection = {
    isOpen: true,
    hasHolders: true,
    knowsLayers: true,
    takesSeveral: false,
    claim: () => told.push('SPECIALIZE') > 0,
    invoke: () => told.push('INVOKE') > 0,
    claimAndInvoke: () => told.push('SPECIALIZE INVOKE') > 0,
    adopt: () => told.push('ADOPT') > 0,
    fence: () => told.push('FENCE') > 0,
    drain: () => void told.push('DRAIN'),
    beat: () => 'well' as const,
    close: () => undefined,
  } satisfies Record<keyof PodConnection, unknown>;
  const open = (state: PodState) => {
    const more = { state: state.claim === null ? 'Warm' : 'Claimed', perInstance: 1 } as const;
    const opened: Welcome = { ...state, ...more };
    link?.opened(connection, opened);
  };
  const lose = () => link?.closed(new LinkError('Lost', 'test'));
  const owner: PodLinkOwner = {
    identity: { gatewayId: 'self', epoch: 1, signingKey: privateKey },
    linkPort: 9100,
    redialMs: 100,
    readoptMs: 50,
    nowMs: () => 1000,
    after: () => () => undefined,
    dial: (_address, _identity, _clock, dialOwner) => {
      link = dialOwner;
      return lose;
    },
    dialling: () => undefined,
    dialled: () => undefined,
    generic: say('generic'),
    notGeneric: say('not generic'),
    claimed: say('claimed'),
    taken: say('taken'),
    partlyTaken: say('partlyTaken'),
    freed: say('freed'),
    adoptEnded: say('adopt ended'),
    slotLost: (_slot, _error, mayRetry) => void told.push(mayRetry ? 'slot lost, did not run' : 'slot lost'),
    found: say('found'),
    confirmed: say('confirmed'),
    claimRefused: say('claim refused'),
    leaving: say('leaving'),
    nextEpoch: () => 8,
    epochSeen: () => undefined,
    suspected: say('suspected'),
    logged: say('logged'),
  };
  const pod = new PodLink(podNow, owner, 0);
  pod.update(podNow);
  open(welcome);
  /** Gives it a slot in a state; `isClaimed` = its agent holds the version. */
  const hold = (state: SlotState, isClaimed = true) => {
    const slot = { pod, version: { uid: 'v' }, state, request: null, mates: null } as unknown as Slot<PodLink, Call>;
    pod.hold(slot, isClaimed);
    return slot;
  };
  return { pod, told, open, lose, hold, hear: (state: PodState) => link?.stateChanged(state) };
}

type Rig = ReturnType<typeof start>;

/** Brings a pod that is generic into a use. */
const into: Readonly<Record<PodUse, (rig: Rig) => void>> = {
  none: ({ lose }) => lose(),
  generic: () => undefined,
  slot: ({ hold }) => void hold('Idle'),
  held: ({ pod, hear }) => {
    hear(heldBy('other'));
    pod.use = 'held';
  },
  orphan: ({ pod, hear }) => {
    hear(heldBy('gone'));
    pod.use = 'orphan';
  },
  condemned: ({ pod }) => pod.condemn('test'),
};

test.each<[use: PodUse, heard: string, hear: (rig: Rig) => void, told: string[], then: PodUse]>([
  ['none', 'told: generic', ({ open }) => open(generic), ['generic'], 'generic'],
  ['none', 'told: claimed', ({ open }) => open(heldBy('other')), ['claimed'], 'none'],
  ['generic', 'told: claimed', ({ hear }) => hear(heldBy('other')), ['not generic', 'claimed'], 'none'],
  ['generic', 'link lost', ({ lose }) => lose(), ['not generic'], 'none'],
  ['generic', 'deleted', ({ pod }) => pod.update(null), ['not generic'], 'none'],
  ['slot', 'told: its own, free', ({ hear }) => hear(heldBy('self')), [], 'slot'],
  ['slot', 'told: another’s', ({ hear }) => hear(heldBy('other')), ['taken'], 'slot'],
  ['slot', 'link lost', ({ lose }) => lose(), ['slot lost'], 'none'],
  ['slot', 'deleted, idle', ({ pod }) => pod.update(null), ['leaving'], 'slot'],
  ['held', 'told: generic', ({ hear }) => hear(generic), ['generic'], 'generic'],
  ['held', 'told: another’s', ({ hear }) => hear(heldBy('third')), ['claimed'], 'held'],
  ['held', 'link lost', ({ lose }) => lose(), [], 'none'],
  ['orphan', 'told: generic', ({ hear }) => hear(generic), ['generic'], 'generic'],
  ['orphan', 'told: another’s', ({ hear }) => hear(heldBy('third')), ['claimed'], 'orphan'],
  ['condemned', 'told: claimed', ({ hear }) => hear(heldBy('other')), [], 'condemned'],
  ['condemned', 'link lost', ({ lose }) => lose(), [], 'condemned'],
])('%s, %s', (use, _heard, hear, told, then) => {
  const rig = start();
  into[use](rig);
  rig.told.length = 0;
  hear(rig);
  expect([rig.told, rig.pod.use]).toEqual([told, then]);
});

test.each<[reason: string, state: SlotState, hear: PodState, told: string[], isTaken: boolean]>([
  ['a Foreign slot is free when nothing runs any more', 'Foreign', heldBy('self'), ['freed'], false],
  ['and not while something does', 'Foreign', heldBy('self', ['r']), [], false],
  ['what runs here ends here, whoever holds the pod', 'Finishing', heldBy('other'), [], true],
])('slot: %s', (_reason, state, hear, told, isTaken) => {
  const rig = start(heldBy('self'));
  rig.hold(state);
  rig.told.length = 0;
  rig.hear(hear);
  expect([rig.told, rig.pod.isTaken]).toEqual([told, isTaken]);
});

test('what an adopted pod was given before it is held is not taken for another one’s', () => {
  const { pod, hear, told } = start(heldBy('self', ['earlier']));
  const make = (state: SlotState, request: unknown) =>
    ({ pod, version: { uid: 'v' }, state, request, mates: null }) as unknown as Slot<PodLink, Call>;
  const call = { invocation: { requestId: 'waited' }, sentTo: () => undefined, head: () => ({}) };
  const foreign = make('Foreign', null);
  const busy = make('Busy', call);
  for (const slot of [foreign, busy]) slot.mates = [foreign, busy];
  pod.run(busy);
  pod.hold(foreign, true);
  told.length = 0;
  hear(heldBy('self', ['earlier', 'waited']));
  expect(told).toEqual([]);
  hear(heldBy('self', ['waited']));
  expect(told).toEqual(['freed']);
});

test('a claim that was not written yet did not run: another gateway has the pod', () => {
  const { pod, hold, hear, told } = start();
  hold('Starting', false);
  told.length = 0;
  hear(heldBy('other'));
  expect([told, pod.use]).toEqual([['slot lost, did not run', 'claimed'], 'none']);
});

test('a claim that was written may have run: a link that is lost says so', () => {
  const { pod, hold, lose, told } = start();
  const slot = hold('Claiming', false);
  expect(pod.specialize(slot, 8, { head: '{}', code: Buffer.alloc(0), layers: [] })).toBe(true);
  lose();
  expect(told).toEqual(['generic', 'SPECIALIZE', 'slot lost']);
});

test('while an ADOPT is on its way, only its answer counts', () => {
  const { pod, hold, hear, told } = start(heldBy('other'));
  pod.adopt(hold('Adopting'), 8);
  told.length = 0;
  hear(heldBy('third'));
  expect(told).toEqual([]);
});

test('a pod that is not wanted is told at each new link, by its holder: it adopts first when it is another’s', () => {
  const { pod, open, lose, told } = start(heldBy('other'));
  told.length = 0;
  pod.condemn('test');
  lose();
  open(heldBy('self'));
  expect(told).toEqual(['ADOPT', 'DRAIN', 'DRAIN']);
});

test('a pod that another gateway has just claimed is left alone for a while', () => {
  const { pod, hear } = start();
  hear(heldBy('other'));
  expect(pod.adoptAtMs).toBe(1050);
});
