import { describe, expect, test } from '@jest/globals';
import type { InitError } from './failures.ts';
import { testError as error, makePod, makeTarget, startCore as start } from './testing.ts';

const hello = makeTarget();

describe('failing init', () => {
  test('pauses grow and pods are tried one at a time, so the pool is not emptied', () => {
    const limits = { minInitPauseMs: 100 };
    const { arrive, pod, answer, report, clock, tick, effects, core } = start(limits);
    for (let n = 1; n <= 20; n += 1) pod(`p${n}`);
    arrive(hello);
    arrive(hello);
    for (const name of ['p1', 'p2']) {
      answer(name);
      report(name, false);
    }
    for (let n = 0; n < 5; n += 1) arrive(hello);
    expect(effects.claims).toHaveLength(2);
    clock.advance(100);
    tick();
    expect(effects.claims).toHaveLength(3);
    answer('p3');
    report('p3', false);
    clock.advance(199);
    tick();
    expect(effects.claims).toHaveLength(3);
    clock.advance(1);
    tick();
    expect(effects.claims).toHaveLength(4);
    answer('p4');
    report('p4', true);
    expect(core.census.totals.Starting).toBe(2);
  });

  /** A function whose init has said twice in a row what is wrong, while a third request waits. */
  function startBroken() {
    const world = start({ minInitPauseMs: 100 });
    for (let n = 1; n <= 9; n += 1) world.pod(`p${n}`);
    const fail = (pod: string, error: InitError | null = said) => {
      world.answer(pod);
      world.core.reported(world.slotOf(pod), false, error);
    };
    world.arrive(hello);
    fail('p1');
    for (let n = 0; n < 2; n += 1) world.arrive(hello);
    fail('p2');
    return { ...world, fail };
  }
  const said = { payload: Buffer.from('no database'), contentType: undefined, errorType: 'Error', requestId: 'r' };

  test('what it says twice is the answer of who comes while claims pause, then one tries again', () => {
    const { arrive, effects, clock, fail, report, answer, core } = startBroken();
    fail('p3');
    arrive(hello);
    expect(effects.log.filter((each) => each.startsWith('answer'))).toEqual(['answer r4: no database']);
    expect(core.census.outstanding).toBe(0);
    clock.advance(200);
    arrive(hello);
    arrive(hello);
    expect(effects.claims).toHaveLength(4);
    answer('p4');
    report('p4');
    expect(effects.started.at(-1)).toMatchObject({ request: 'r6', pod: 'p4', start: 'warm' });
    expect(effects.log.filter((each) => each.startsWith('answer'))).toHaveLength(1);
  });

  test('and of who waits for the try that fails', () => {
    const { arrive, effects, clock, fail } = startBroken();
    fail('p3');
    clock.advance(200);
    for (let n = 0; n < 3; n += 1) arrive(hello);
    fail('p4');
    const answers = effects.log.filter((each) => each.startsWith('answer'));
    expect(answers).toEqual(['answer r5: no database', 'answer r6: no database']);
  });

  test.each<[reason: string, afterMs: number, error: InitError | null]>([
    ['that says nothing', 0, null],
    ['that ran out of time: it may have been the call that failed', 10_000, said],
  ])('a failure %s is nobody else’s answer', (_reason, afterMs, error) => {
    const { arrive, effects, clock, fail } = startBroken();
    clock.advance(afterMs);
    fail('p3', error);
    arrive(hello);
    expect(effects.log.filter((each) => each.startsWith('answer'))).toEqual([]);
  });

  test('many pods that are lost at once are one failure, not many', () => {
    const { arrive, pod, clock, core, slotOf } = start();
    for (let n = 1; n <= 9; n += 1) pod(`p${n}`);
    clock.advance(1);
    for (let n = 0; n < 4; n += 1) arrive(hello);
    clock.advance(1);
    for (const name of ['p1', 'p2', 'p3', 'p4'])
      core.lost(slotOf(name), { mayRetry: false, error, isSuspicious: true });
    for (let n = 0; n < 4; n += 1) arrive(hello);
    expect(core.census.totals.Starting).toBe(4);
  });

  test('another function is not held up by it', () => {
    const { arrive, pod, answer, report, effects } = start();
    for (let n = 1; n <= 5; n += 1) pod(`p${n}`);
    for (const name of ['p1', 'p2']) {
      arrive(hello);
      answer(name);
      report(name, false);
    }
    arrive(makeTarget({ versionUid: 'good', functionObjectName: 'good' }));
    expect(effects.started[2]).toMatchObject({ pod: 'p3' });
  });
});

describe('provisioned concurrency', () => {
  const provisioned = makeTarget({ provisionedConcurrency: 2, idleTimeoutMs: 1_000 });
  const current = new Map([[provisioned.versionUid, provisioned]]);

  test('is claimed without a call, kept when idle, and filled up again', () => {
    const { core, pod, effects, clock, tick, slotOf } = start();
    core.setVersions(current);
    pod('p1');
    pod('p2');
    pod('p3');
    for (const slot of effects.claims) core.confirmed(slot);
    clock.advance(100_000);
    tick();
    expect(core.census.totals).toMatchObject({ Idle: 2 });
    expect(effects.released).toEqual([]);
    core.lost(slotOf('p1'), { mayRetry: false, error, isSuspicious: false });
    expect(effects.claims.map((slot) => slot.pod.name)).toEqual(['p1', 'p2', 'p3']);
  });

  test('a call waits for a pod that is being initialised, but not for longer than it would on demand', () => {
    const { core, pod, effects, clock, tick, arrive, finish } = start();
    core.setVersions(current);
    for (const name of ['p1', 'p2', 'p3']) pod(name);
    arrive(provisioned);
    clock.advance(10_000);
    tick();
    expect(effects.started).toEqual([]);
    clock.advance(1_000);
    tick();
    expect(effects.started).toMatchObject([{ pod: 'p3', start: 'cold' }]);
    finish('p3');
    clock.advance(110_000);
    tick();
    expect(core.census.totals).toMatchObject({ Claiming: 2 }); // init of provisioned pods has 130 s
  });

  test('is asked for whole, however short the calls are', () => {
    const { core, pod, effects, clock, arrive, finish } = start();
    const few = makeTarget();
    pod('p1');
    for (let n = 0; n < 3; n += 1) {
      arrive(few);
      clock.advance(5);
      finish('p1');
    }
    core.setVersions(new Map([[few.versionUid, { ...few, provisionedConcurrency: 40 }]]));
    clock.settle();
    expect(effects.wanted.get('nodejs24.x')).toBe(39);
  });

  test('serves calls warm, and what is above it expires', () => {
    const { core, pod, effects, clock, tick, arrive, finish } = start();
    core.setVersions(current);
    for (const name of ['p1', 'p2', 'p3']) pod(name);
    for (const slot of effects.claims) core.confirmed(slot);
    for (let n = 0; n < 3; n += 1) arrive(provisioned);
    expect(effects.started.map((each) => each.start)).toEqual(['warm', 'warm', 'cold']);
    for (const name of ['p1', 'p2', 'p3']) finish(name);
    clock.advance(1_000);
    tick();
    expect(core.census.totals.Idle).toBe(2);
  });
});

describe('versions', () => {
  test('pods that are provisioned no more are idle from then on, so that an alias that goes back finds them', () => {
    const { core, pod, effects, clock, tick, arrive } = start();
    const [one, two] = ['1', '2'].map((version) => makeTarget({ version, versionUid: version, idleTimeoutMs: 1_000 }));
    if (one === undefined || two === undefined) throw new Error('two versions');
    const provision = (ones: number, twos: number): void => {
      const targets = [
        { ...one, provisionedConcurrency: ones },
        { ...two, provisionedConcurrency: twos },
      ];
      core.setVersions(new Map(targets.map((target) => [target.versionUid, target])));
      tick();
    };
    for (const name of ['p1', 'p2', 'p3', 'p4']) pod(name);
    provision(2, 0);
    for (const slot of effects.claims) core.confirmed(slot);
    clock.advance(100_000);
    tick();
    provision(0, 2);
    clock.advance(900);
    tick();
    expect(effects.released).toEqual([]);
    provision(2, 0);
    arrive(one);
    expect(effects.started).toMatchObject([{ start: 'warm' }]);
    expect(effects.claims).toHaveLength(4);
    provision(0, 2);
    clock.advance(1_000);
    tick();
    expect(effects.released).toHaveLength(1); // the other one is busy
  });

  test('a version that is over loses its idle pods at once, a busy one after its report', () => {
    const { core, pod, arrive, finish, answer, report, effects } = start();
    pod('p1');
    pod('p2');
    arrive(hello);
    arrive(hello);
    finish('p1');
    core.setVersions(new Map());
    expect(effects.released.map((released) => released.name)).toEqual(['p1']);
    answer('p2');
    report('p2');
    expect(effects.released.map((released) => released.name)).toEqual(['p1', 'p2']);
    expect(core.census.versionCount).toBe(0);
  });

  test('an adopted pod serves who waits; a busy one is counted until it is free', () => {
    const { core, arrive, effects } = start();
    const one = makeTarget({ reservedConcurrency: 1 });
    const busy = core.adopt(makePod('old', 'b'), one, 'Foreign');
    arrive(one);
    expect(effects.started).toEqual([]);
    core.freed(busy);
    expect(effects.started).toMatchObject([{ request: 'r1', pod: 'old', start: 'warm' }]);
  });
});
