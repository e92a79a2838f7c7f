import { expect, test } from '@jest/globals';
import { LinkError } from '../link/link.ts';
import { startDispatcher } from './dispatcher.ts';
import { deafCluster, deafObserver, makeTarget } from './testing.ts';
import { makeKeys } from './testing-agent.ts';
import { SimAgent } from './testing-sim-agent.ts';
import { SimConnection } from './testing-sim-connection.ts';

/** A gateway among simulated pods of which some have died without a word; a heartbeat when the test says so. */
function start(podCount: number) {
  const dead = new Set<string>();
  const beats: (() => void)[] = [];
  const ways: SimConnection[] = [];
  const deliver = () => {
    for (const way of ways)
      for (const queue of [way.toAgent, way.toGateway, way.toAgent, way.toGateway])
        for (const call of queue.splice(0)) call();
  };
  /** Like a real link: silent pods miss one PING after the other. */
  class Link extends SimConnection {
    #missed = 0;
    override beat(): 'well' | 'suspect' | 'lost' {
      this.#missed = dead.has(this.agent.uid) ? this.#missed + 1 : 0;
      return this.#missed > 2 ? 'lost' : this.#missed > 1 ? 'suspect' : 'well';
    }
  }
  const dispatcher = startDispatcher({
    identity: { gatewayId: 'g', epoch: 1, signingKey: makeKeys().privateKey },
    cluster: deafCluster,
    observer: deafObserver,
    code: async () => Buffer.alloc(0),
    clock: {
      nowMs: () => 0,
      after: () => () => {},
      every: (periodMs, call) => {
        if (periodMs === 750) beats.push(call);
        return () => {};
      },
      soon: (call) => call(),
    },
    zone: '',
    linkPort: 0,
    dial: (address, identity, _clock, owner) => {
      const link = new Link(new SimAgent(address.podUid, { started() {}, ended() {} }, () => 0), identity, owner);
      ways.push(link);
      return () => link.close(new LinkError('Closed', 'test'));
    },
  });
  for (let n = 0; n < podCount; n += 1) {
    const pod = { name: `p${n}`, uid: `p${n}`, ip: '10.0.0.1', zone: '', pool: makeTarget().runtime };
    dispatcher.onPod(pod.name, { ...pod, ready: true, terminating: false, state: 'generic', versionUid: null });
  }
  deliver();
  const pool = () => dispatcher.stats().pools[0];
  const beat = (times: number) => {
    for (let n = 0; n < times; n += 1) for (const call of beats) call();
  };
  return { dead, pool, beat };
}

test('a pod that dies is suspect after one missed answer, and lost after two', () => {
  const { dead, pool, beat } = start(8);
  for (const uid of ['p0', 'p1', 'p2', 'p3']) dead.add(uid);
  beat(1);
  expect(pool()).toMatchObject({ generic: 8, suspect: 0 });
  beat(1);
  expect(pool()).toMatchObject({ generic: 8, suspect: 4 });
  beat(1);
  expect(pool()).toMatchObject({ generic: 4, suspect: 0 });
});

test('when more than half seem dead, it is this gateway: none is lost, until fewer seem so', () => {
  const { dead, pool, beat } = start(8);
  for (const uid of ['p0', 'p1', 'p2', 'p3', 'p4']) dead.add(uid);
  beat(10);
  expect(pool()).toMatchObject({ generic: 8, suspect: 5 });
  dead.delete('p0');
  beat(1);
  expect(pool()).toMatchObject({ generic: 4, suspect: 0 });
});

test('three may be lost at once, whatever the share', () => {
  const { dead, pool, beat } = start(3);
  for (const uid of ['p0', 'p1', 'p2']) dead.add(uid);
  beat(3);
  expect(pool()).toMatchObject({ generic: 0 });
});
