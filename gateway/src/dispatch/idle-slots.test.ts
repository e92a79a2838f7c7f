import { expect, test } from '@jest/globals';
import { Epochs } from './epochs.ts';
import { makePod, makeTarget, startCore } from './testing.ts';

const hello = makeTarget();

test('an idle pod in the own zone is preferred, then the most recently used; one that is suspect comes last', () => {
  const { core, arrive, effects } = startCore();
  const pods = ['far', 'near', 'suspect', 'later'].map((name) => makePod(name, name === 'far' ? 'b' : 'a'));
  for (const pod of pods) {
    pod.isSuspect = pod.name === 'suspect';
    core.adopt(pod, hello, 'Idle');
  }
  for (let n = 0; n < 4; n += 1) arrive(hello);
  expect(effects.started.map((each) => each.pod)).toEqual(['later', 'near', 'far', 'suspect']);
});

test('a pod that is suspect while it is idle goes to the end, one that answers again comes back', () => {
  const { core, arrive, effects } = startCore();
  const pods = ['one', 'two'].map((name) => makePod(name));
  const slots = pods.map((pod) => core.adopt(pod, hello, 'Idle'));
  const [, two] = pods;
  const [, slot] = slots;
  if (two === undefined || slot === undefined) throw new Error('no pod');
  two.isSuspect = true;
  core.suspected(slot);
  arrive(hello);
  two.isSuspect = false;
  core.suspected(slot);
  arrive(hello);
  expect(effects.started.map((each) => each.pod)).toEqual(['one', 'two']);
});

test('a generic pod that is suspect is claimed only when there is no other', () => {
  const { core, arrive, effects } = startCore();
  const pods = ['bad', 'good'].map((name) => makePod(name));
  for (const pod of pods) core.claims.podReady(pod);
  const [bad] = pods;
  if (bad === undefined) throw new Error('no pod');
  bad.isSuspect = true;
  core.claims.podSuspected(bad);
  arrive(hello);
  arrive(hello);
  expect(effects.claims.map((slot) => slot.pod.name)).toEqual(['good', 'bad']);
});

test('epochs rise above the clock and all that was seen, and two gateways never make the same', () => {
  let wallMs = 1_000;
  const one = new Epochs('one', () => wallMs);
  const two = new Epochs('two', () => wallMs);
  const made = new Set<number>();
  let last = 0;
  for (let n = 0; n < 200; n += 1) {
    const epoch = (n % 2 === 0 ? one : two).next();
    one.saw(epoch);
    two.saw(epoch);
    expect(epoch).toBeGreaterThan(last);
    expect(made.has(epoch)).toBe(false);
    made.add(epoch);
    last = epoch;
  }
  wallMs = 10_000_000;
  expect(one.next()).toBeGreaterThanOrEqual(wallMs);
});
