import { beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KubernetesError } from './errors.ts';
import { type Lease, leases } from './kinds.ts';
import type { Kubernetes } from './kubernetes.ts';
import { type LeaderElection, type Leadership, runLeaderElection } from './lease.ts';
import { ManualClock, settle } from './testing.ts';

/** The one Lease of an API server, with its optimistic locking. */
class FakeLeases {
  lease: Lease | null = null;
  isDown = false;
  isSilent = false;
  writes = 0;
  #version = 0;

  get = async (): Promise<Lease> => {
    await this.#reach();
    if (this.lease === null) throw new KubernetesError('no lease', 404, 'NotFound');
    return this.lease;
  };

  create = async (_kind: unknown, { spec }: { readonly spec: Lease['spec'] }): Promise<Lease> => {
    await this.#reach();
    if (this.lease !== null) throw new KubernetesError('lease', 409, 'AlreadyExists');
    return this.#write(spec);
  };

  replace = async (
    _kind: unknown,
    {
      spec,
      metadata,
    }: {
      readonly spec: Lease['spec'];
      readonly metadata: { readonly resourceVersion?: string };
    },
  ): Promise<Lease> => {
    await this.#reach();
    if (this.lease?.metadata.resourceVersion !== metadata.resourceVersion)
      throw new KubernetesError('lease', 409, 'Conflict');
    return this.#write(spec);
  };

  as(): Pick<Kubernetes, 'get' | 'create' | 'replace'> {
    return this as unknown as Pick<Kubernetes, 'get' | 'create' | 'replace'>;
  }

  async #reach(): Promise<void> {
    if (this.isSilent) await new Promise(() => undefined);
    if (this.isDown) throw new KubernetesError('down', 0, 'Unreachable');
  }

  #write(spec: Lease['spec']): Lease {
    this.writes += 1;
    const metadata = { resourceVersion: String(++this.#version) } as Lease['metadata'];
    this.lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    return this.lease;
  }
}

/** How a way can be. `late`: a call reaches the server only after `lateMs`; `slow`: its answer takes as long. */
type WayState = 'up' | 'down' | 'silent' | 'late' | 'slow';
const lateMs = 8_000;

/** What lies between one candidate and the API server. */
class Way {
  state: WayState = 'up';
  readonly #leases: FakeLeases;

  constructor(fakeLeases: FakeLeases) {
    this.#leases = fakeLeases;
  }

  as(): Pick<Kubernetes, 'get' | 'create' | 'replace'> {
    const { get, create, replace } = this.#leases;
    const calls = {
      get: () => this.#pass(get),
      create: (...args: Parameters<typeof create>) => this.#pass(() => create(...args)),
      replace: (...args: Parameters<typeof replace>) => this.#pass(() => replace(...args)),
    };
    return calls as unknown as Pick<Kubernetes, 'get' | 'create' | 'replace'>;
  }

  async #pass<R>(call: () => Promise<R>): Promise<R> {
    if (this.state === 'silent') await new Promise(() => undefined);
    if (this.state === 'down') throw new KubernetesError('down', 0, 'Unreachable');
    const [beforeMs, afterMs] = [this.state === 'late' ? lateMs : 0, this.state === 'slow' ? lateMs : 0];
    if (beforeMs > 0) await clock.sleep(beforeMs, new AbortController().signal);
    const answer = await call();
    if (afterMs > 0) await clock.sleep(afterMs, new AbortController().signal);
    return answer;
  }
}

interface Candidate {
  readonly ended: AbortController;
  readonly done: Promise<void>;
  leadership: Leadership | null;
  lost: string | null;
}

let clock: ManualClock;
let server: FakeLeases;
let problems: unknown[];

beforeEach(() => {
  clock = new ManualClock();
  server = new FakeLeases();
  problems = [];
});

function stand(identity: string, overrides: Partial<LeaderElection> = {}, way: Way | FakeLeases = server): Candidate {
  const ended = new AbortController();
  const candidate: Candidate = { ended, done: Promise.resolve(), leadership: null, lost: null };
  const election: LeaderElection = {
    namespace: 'kappa-system',
    name: 'kappa-controller',
    identity,
    signal: ended.signal,
    onLeading: (leadership) => {
      candidate.leadership = leadership;
    },
    onLost: (reason) => {
      candidate.lost = reason;
    },
    ...overrides,
  };
  return Object.assign(candidate, {
    done: runLeaderElection(way.as(), clock, (problem) => void problems.push(problem), election),
  });
}

test('the first candidate leads at once and keeps renewing', async () => {
  const a = stand('a');
  await clock.advance(60_000);
  expect(a.leadership?.isLeading()).toBe(true);
  expect(server.lease?.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
  expect(server.writes).toBe(31);
  expect(server.lease?.spec.acquireTime).not.toBe(server.lease?.spec.renewTime);
});

test('a second candidate waits while the first one renews', async () => {
  stand('a');
  await settle();
  const b = stand('b');
  await clock.advance(120_000);
  expect(b.leadership).toBeNull();
  expect(problems).toEqual([]);
});

test('a lease that is given back is taken in one retry period', async () => {
  const a = stand('a');
  await settle();
  const b = stand('b');
  await clock.advance(5_000);
  a.ended.abort();
  await a.done;
  await clock.advance(2_400);
  expect(b.leadership?.isLeading()).toBe(true);
  expect(a.leadership?.isLeading()).toBe(false);
  expect(a.lost).toBeNull();
  expect(server.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
});

test('a dead holder is waited out by the own clock, whatever its record says', async () => {
  await server.create(leases, {
    spec: {
      holderIdentity: 'dead',
      leaseDurationSeconds: 15,
      renewTime: '2001-01-01T00:00:00.000000Z',
      leaseTransitions: 4,
    },
  });
  const b = stand('b');
  await clock.advance(14_000);
  expect(b.leadership).toBeNull();
  await clock.advance(3_000);
  expect(b.leadership?.isLeading()).toBe(true);
  expect(server.lease?.spec.leaseTransitions).toBe(5);
});

test('a leader without API server stops writing at the deadline and is told', async () => {
  const a = stand('a');
  await clock.advance(4_000);
  server.isDown = true;
  await clock.advance(9_000);
  expect(a.leadership?.isLeading()).toBe(true);
  await clock.advance(1_001);
  expect(a.leadership?.isLeading()).toBe(false);
  await clock.advance(2_400);
  await a.done;
  expect(a.lost).toBe('the lease could not be renewed in time');
  expect(problems.length).toBeGreaterThan(3);
});

test('a leader whose connection is silent is told at the deadline', async () => {
  const a = stand('a');
  await clock.advance(4_000);
  server.isSilent = true;
  await clock.advance(12_500);
  expect(a.lost).toBe('the lease could not be renewed in time');
});

test('a short outage is survived', async () => {
  const a = stand('a');
  await clock.advance(4_000);
  server.isDown = true;
  await clock.advance(7_000);
  server.isDown = false;
  await clock.advance(60_000);
  expect(a.lost).toBeNull();
  expect(a.leadership?.isLeading()).toBe(true);
});

test('a leader that finds another holder is told', async () => {
  const a = stand('a');
  await settle();
  await server.replace(leases, {
    spec: { holderIdentity: 'thief', leaseDurationSeconds: 15 },
    metadata: server.lease?.metadata ?? {},
  });
  await clock.advance(3_000);
  expect(a.lost).toBe('thief holds the lease');
  expect(a.leadership?.isLeading()).toBe(false);
});

test('a renewal that a slow read shows counts from when it was read, not from when the read began', async () => {
  const ways = [new Way(server), new Way(server)] as const;
  const a = stand('a', {}, ways[0]);
  await clock.advance(500);
  ways[1].state = 'late';
  const b = stand('b', {}, ways[1]);
  await clock.advance(lateMs);
  ways[1].state = 'up'; // b has just read what a wrote a moment ago
  ways[0].state = 'down';
  for (let step = 0; step < 200 && a.lost === null; step += 1) {
    await clock.advance(100);
    expect([a, b].filter(({ leadership }) => leadership?.isLeading())).not.toHaveLength(2);
  }
  await clock.advance(10_000);
  expect(b.leadership?.isLeading()).toBe(true);
});

test('two candidates at once: one leads', async () => {
  const both = [stand('a'), stand('b')];
  await clock.advance(30_000);
  expect(both.filter((candidate) => candidate.leadership?.isLeading())).toHaveLength(1);
});

test.each([
  ['duration not above deadline', { leaseDurationMs: 10_000 }],
  ['deadline not above 1.2 retry periods', { retryPeriodMs: 9_000 }],
  ['no retry period', { retryPeriodMs: 0 }],
])('bad times are refused: %s', async (_reason, times) => {
  await expect(stand('a', times).done).rejects.toThrow(RangeError);
});

test('whatever happens on the way to the API server, never do two lead', async () => {
  const steps = fc.array(
    fc.tuple(
      fc.constantFrom('a', 'b'),
      fc.constantFrom<WayState>('up', 'down', 'silent', 'late', 'slow'),
      fc.integer({ min: 0, max: 20_000 }),
    ),
    { minLength: 1, maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      clock = new ManualClock();
      server = new FakeLeases();
      const ways = { a: new Way(server), b: new Way(server) };
      const candidates = { a: stand('a', {}, ways.a), b: stand('b', {}, ways.b) };
      for (const [who, state, ms] of all) {
        ways[who].state = state;
        for (let passed = 0; passed < ms; passed += 500) {
          await clock.advance(500);
          expect(
            Object.values(candidates).filter(({ leadership, lost }) => lost === null && leadership?.isLeading()),
          ).not.toHaveLength(2);
        }
      }
      for (const { ended } of Object.values(candidates)) ended.abort();
    }),
    { numRuns: 60 },
  );
});
