import { describe, expect, test } from '@jest/globals';
import { NoIdleSlot, NotOwner } from './ownership.ts';
import { type CoreRules, noRules } from './rules.ts';
import { makeRequest, makeTarget, startCore, testError } from './testing.ts';

const limitQueue = { maxWaitMs: 10_000, maxCount: 3 };
const capped = makeTarget({ versionUid: 'capped', functionObjectName: 'capped', reservedConcurrency: 1, limitQueue });
const patient = makeTarget({ versionUid: 'patient', functionObjectName: 'patient', limitQueue });
const other = makeTarget({ versionUid: 'other', functionObjectName: 'other', limitQueue });
const plain = makeTarget({ versionUid: 'plain', functionObjectName: 'plain' });

/** A core with pods. */
function start(limits: Parameters<typeof startCore>[0] = {}, rules: CoreRules = noRules) {
  const world = startCore(limits, rules);
  for (let n = 0; n < 6; n += 1) world.pod(`p${n}`);
  const { effects } = world;
  return {
    ...world,
    ran: () => effects.started.map(({ request }) => request),
    failed: () => effects.failed.map(({ request }) => request),
    /** The pod of a request that runs is free again. */
    end(request: string) {
      const pod = effects.started.find((each) => each.request === request)?.pod ?? '';
      world.finish(pod);
    },
    pass(ms: number) {
      world.clock.advance(ms);
      world.tick();
    },
  };
}

test('a call above the cap waits for its turn, and runs as soon as the one before has ended', () => {
  const { arrive, end, ran, core } = start();
  arrive(capped);
  arrive(capped);
  arrive(capped);
  expect(ran()).toEqual(['r1']);
  expect(core.census.linedCount).toBe(2);
  end('r1');
  expect(ran()).toEqual(['r1', 'r2']);
  end('r2');
  end('r3');
  expect(ran()).toEqual(['r1', 'r2', 'r3']);
  const { linedCount, linedBytes, queuedBytes, outstanding } = core.census;
  expect([linedCount, linedBytes, queuedBytes, outstanding]).toEqual([0, 0, 0, 0]);
});

test('who waits takes no concurrency: of a full account the others get what becomes free as well', () => {
  const { arrive, end, ran } = start({ accountConcurrency: 2 });
  arrive(patient);
  arrive(patient);
  arrive(patient);
  expect(() => arrive(plain)).toThrow(expect.objectContaining({ reason: 'ConcurrentInvocationLimitExceeded' }));
  end('r1');
  expect(ran()).toEqual(['r1', 'r2', 'r3']);
  end('r2');
  arrive(plain);
  expect(ran()).toEqual(['r1', 'r2', 'r3', 'r5']);
});

test('who asks for an idle pod only does not wait at a limit: it was counted where it came in, and hears of the limit there', () => {
  const { arrive, end, core } = start({ accountConcurrency: 2 });
  arrive(patient);
  arrive(plain);
  end('r1'); // an idle pod of it is left
  arrive(plain);
  for (const target of [patient, plain]) expect(() => arrive(target, 10, true)).toThrow(NoIdleSlot);
  expect([core.census.linedCount, core.census.outstanding]).toEqual([0, 2]);
});

test('who waits for a function that is switched off does not wait for its return', () => {
  const { arrive, core, failed, pass } = start();
  arrive(capped);
  arrive(capped);
  core.setVersions(new Map([[capped.versionUid, { ...capped, reservedConcurrency: 0 }]]));
  pass(100);
  expect(failed()).toEqual(['r2']);
});

test('functions that wait for the same account take turns', () => {
  const { arrive, end, ran } = start({ accountConcurrency: 1 });
  arrive(patient);
  for (const target of [patient, patient, other, other]) arrive(target); // r2 r3, r4 r5
  for (let n = 0; n < 4; n += 1) end(ran().at(-1) ?? '');
  expect(ran()).toEqual(['r1', 'r2', 'r4', 'r3', 'r5']);
});

test('a turn looks at as many functions as it lets in, and at one more, however many wait', () => {
  let looks = 0;
  const rules: CoreRules = {
    ...noRules,
    outstandingElsewhere: () => {
      looks += 1;
      return 0;
    },
  };
  const { arrive, end, ran } = start({ accountConcurrency: 1 }, rules);
  arrive(patient);
  for (let n = 0; n < 200; n += 1) arrive({ ...other, versionUid: `v${n}`, functionObjectName: `f${n}` });
  looks = 0;
  end('r1');
  expect(ran()).toEqual(['r1', 'r2']);
  expect(looks).toBeLessThan(10);
});

test('who waits for something of its own does not hold up the account, and has its turn again', () => {
  const { arrive, end, pass, ran } = start({ accountConcurrency: 2, scaleOutPods: 1, scaleOutMs: 10_000 });
  arrive(patient);
  arrive(patient); // no second pod of it so soon
  arrive(other);
  arrive(other);
  expect(ran()).toEqual(['r1', 'r3']);
  end('r3'); // its pod is idle now
  pass(100);
  expect(ran()).toEqual(['r1', 'r3', 'r4']);
  end('r1');
  pass(100);
  expect(ran()).toEqual(['r1', 'r3', 'r4', 'r2']);
});

test('versions of one function are one line', () => {
  const { arrive, end, ran } = start();
  const v2 = { ...capped, versionUid: 'capped-2' };
  arrive(capped);
  arrive(v2);
  arrive(capped);
  end('r1');
  end('r2');
  expect(ran()).toEqual(['r1', 'r2', 'r3']);
});

test('nobody gets past those who wait, also when time has made room', () => {
  const { arrive, end, ran, pass, clock } = start();
  for (let n = 1; n <= 10; n += 1) {
    arrive(capped);
    end(`r${n}`);
  }
  arrive(capped); // above ten in a second
  clock.advance(150);
  arrive(capped);
  expect(ran()).toHaveLength(10);
  pass(0);
  expect(ran().slice(10)).toEqual(['r11']);
  end('r11');
  pass(100);
  expect(ran().slice(10)).toEqual(['r11', 'r12']);
});

describe('the end of waiting', () => {
  test('is a throttle with the reason of the limit, no later than a tick after its time', () => {
    const { arrive, pass, effects, core } = start();
    arrive({ ...capped, timeoutMs: 900_000 });
    arrive(capped);
    pass(5_000);
    arrive(capped);
    pass(4_999);
    expect(effects.failed).toEqual([]);
    pass(1);
    expect(effects.failed).toEqual([
      {
        request: 'r2',
        error: expect.objectContaining({
          status: 429,
          reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
          retryAfterSeconds: 1,
        }),
      },
    ]);
    expect(core.census.linedCount).toBe(1);
  });

  test('is another one than that of the wait for a pod, which begins when the call is let in', () => {
    const { arrive, pod, clock, tick, slotOf, core, effects } = startCore({ capacityBudgetMs: 6_000 });
    pod('p0');
    arrive(capped);
    arrive(capped);
    clock.advance(5_000);
    core.lost(slotOf('p0'), { mayRetry: false, error: testError, isSuspicious: false });
    tick(); // r2 is let in, and there is no pod
    clock.advance(5_900);
    tick();
    expect(effects.failed.map(({ request }) => request)).toEqual(['r1']);
    clock.advance(100);
    tick();
    expect(effects.failed[1]).toMatchObject({ request: 'r2', error: { code: 'ServiceException' } });
  });

  test('comes at once for those that nobody waits for, wherever they stand', () => {
    const { arrive, pass, gone, failed, core } = start();
    for (let n = 0; n < 4; n += 1) arrive(capped);
    gone.add('r3');
    pass(100);
    expect(failed()).toEqual(['r3']);
    arrive(capped);
    expect(core.census.linedCount).toBe(3);
  });

  test('who has gone is not let in', () => {
    const { arrive, end, gone, ran, failed } = start();
    for (let n = 0; n < 3; n += 1) arrive(capped);
    gone.add('r2');
    end('r1');
    expect([ran(), failed()]).toEqual([['r1', 'r3'], ['r2']]);
  });

  test('calls that may not wait any more are refused', () => {
    const { arrive, pass, failed, core } = start();
    arrive(capped);
    arrive(capped);
    const { limitQueue: _queue, ...impatient } = capped;
    core.setVersions(new Map([[impatient.versionUid, impatient]]));
    pass(100);
    expect(failed()).toEqual(['r2']);
    expect(() => arrive(impatient)).toThrow(expect.objectContaining({ status: 429 }));
  });
});

test('a function that is stopped has no line', () => {
  const { arrive } = start();
  expect(() => arrive({ ...capped, reservedConcurrency: 0 })).toThrow(expect.objectContaining({ status: 429 }));
});

test('a higher cap lets more in at the next tick', () => {
  const { arrive, pass, ran } = start();
  for (let n = 0; n < 3; n += 1) arrive(capped);
  const more = { ...capped, reservedConcurrency: 3 };
  arrive(more);
  expect(ran()).toEqual(['r1']);
  pass(100);
  expect(ran()).toEqual(['r1', 'r2', 'r3']);
});

test('a lost term sends those who wait to the next owner, in order', () => {
  let hasTerm = true;
  const rules = { ...noRules, hasTerm: () => hasTerm, mayRun: () => hasTerm };
  const { arrive, pass, effects, core } = start({}, rules);
  for (let n = 0; n < 3; n += 1) arrive(capped);
  hasTerm = false;
  pass(100);
  expect(effects.failed).toEqual([
    { request: 'r2', error: expect.any(NotOwner) },
    { request: 'r3', error: expect.any(NotOwner) },
  ]);
  expect(core.census.linedCount).toBe(0);
});

test('what was left of a call that was lost is seen at the next tick', () => {
  const { arrive, slotOf, pass, ran, core } = start();
  arrive(capped);
  arrive(capped);
  core.lost(slotOf('p0'), { mayRetry: false, error: testError, isSuspicious: false });
  pass(100);
  expect(ran()).toEqual(['r1', 'r2']);
});

test('in the end nothing is remembered', () => {
  const { arrive, end, pass, core } = start();
  arrive({ ...capped, idleTimeoutMs: 1_000 });
  arrive(capped);
  pass(10_000);
  end('r1');
  pass(400_000);
  expect([core.census.versionCount, core.census.outstanding, core.census.queuedCount]).toEqual([0, 0, 0]);
});

test('events of the queue wait at no limit: they go back to where they came from', () => {
  const { arrive, end, core, clock, ran } = start();
  const event = () => core.arrive(capped, { ...makeRequest('event', clock.nowMs()), isAsync: true }, false);
  const throttled = expect.objectContaining({ reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' });
  arrive(capped);
  expect(event).toThrow(throttled);
  arrive(capped);
  expect(event).toThrow(throttled); // nor do they get past those who wait
  end('r1');
  end('r2');
  event();
  expect(ran()).toEqual(['r1', 'r2', 'event']);
});
