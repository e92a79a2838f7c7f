import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { configMaps, leases } from '@kappa/crds/client/kinds';
import { connect, type Kubernetes } from '@kappa/crds/client/kubernetes';
import { FakeApi, ManualClock, until } from '@kappa/crds/client/testing';
import { LeaderGate, NotLeading } from './leader-gate.ts';

const times = { leaseDurationMs: 6_000, renewDeadlineMs: 4_000, retryPeriodMs: 1_000 };
const map = (name: string) => ({ metadata: { name, namespace: 'n' }, data: {} });

let api: FakeApi;
/** How long the process was paused: its clock went on, its timers did not run. */
let pausedMs: number;
let kubernetes: Kubernetes;
let stop: AbortController;

beforeEach(async () => {
  api = await new FakeApi().start();
  pausedMs = 0;
  const clock = new ManualClock();
  const runtime = { ...clock, nowMs: () => clock.nowMs() + pausedMs };
  kubernetes = connect(api.kubeconfig, { runtime });
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await api.stop();
});

/** Writes that the API server saw, without those of the lease. */
const writes = () =>
  api.requests.filter(({ method, url }) => method !== 'GET' && !url.pathname.includes('/leases')).length;

async function lead(gate: LeaderGate): Promise<string[]> {
  const lost: string[] = [];
  void kubernetes.runLeaderElection({
    ...times,
    namespace: 'n',
    name: 'l',
    identity: 'a',
    signal: stop.signal,
    onLeading: (leadership) => gate.lead(leadership),
    onLost: (reason) => lost.push(reason),
  });
  await until('leading', () => gate.isOpen());
  return lost;
}

test('before the lease is held nothing is written', async () => {
  const guarded = new LeaderGate().guard(kubernetes);
  await expect(guarded.create(configMaps, map('a'))).rejects.toThrow(NotLeading);
  expect(writes()).toBe(0);
});

test('a leader writes', async () => {
  const gate = new LeaderGate();
  await lead(gate);
  await gate.guard(kubernetes).create(configMaps, map('a'));
  expect(writes()).toBe(1);
});

describe('a leader that was paused for longer than its lease', () => {
  test('writes nothing, whatever the kind of write, and never again', async () => {
    const gate = new LeaderGate();
    await lead(gate);
    const guarded = gate.guard(kubernetes);
    pausedMs = 30_000;
    const refused = await Promise.allSettled([
      guarded.create(configMaps, map('a')),
      guarded.apply(configMaps, map('a'), 'kappa-controller'),
      guarded.applyStatus(configMaps, { metadata: { name: 'a', namespace: 'n' } } as never, 'kappa-controller'),
      guarded.patch(configMaps, 'n', 'a', {}),
      guarded.delete(configMaps, 'n', 'a'),
    ]);
    expect(refused.map((result) => result.status === 'rejected' && result.reason instanceof NotLeading)).toEqual(
      Array(5).fill(true),
    );
    await guarded.event({ name: 'a' }, { type: 'Warning', reason: 'R', message: '' });
    gate.lead({ isLeading: () => true });
    await expect(guarded.delete(configMaps, 'n', 'a')).rejects.toThrow(NotLeading);
    expect(writes()).toBe(0);
  });

  test('still reads', async () => {
    const gate = new LeaderGate();
    await lead(gate);
    pausedMs = 30_000;
    await expect(gate.guard(kubernetes).get(leases, 'n', 'l')).resolves.toMatchObject({ kind: 'Lease' });
  });
});

test('closing waits for what was sent, and lets nothing more through', async () => {
  const gate = new LeaderGate();
  await lead(gate);
  const guarded = gate.guard(kubernetes);
  let isAnswered = false;
  const sent = guarded.create(configMaps, map('a')).then(() => {
    isAnswered = true;
  });
  const closed = gate.close();
  await expect(guarded.create(configMaps, map('b'))).rejects.toThrow(NotLeading);
  await closed;
  await sent;
  expect(isAnswered).toBe(true);
  expect(writes()).toBe(1);
});
