import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LimitQueueRules } from './limits.ts';
import { Sim } from './testing-sim.ts';

/** One thing that happens; `at` is a gateway, `pick` chooses among what there is. */
interface Step {
  readonly kind: keyof typeof acts;
  readonly at: number;
  readonly pick: number;
}

const acts = {
  callCapped: (sim: Sim, { at, pick }: Step, id: number) => {
    for (let n = 0; n <= pick % 4; n += 1) sim.invoke(at, sim.capped, id + n / 10);
  },
  callFree: (sim: Sim, { at, pick }: Step, id: number) => {
    const count = sim.free.perInstance === 1 ? 1 : 1 + (pick % 5);
    for (let n = 0; n < count; n += 1) sim.invoke(at, sim.free, id + n / 10);
  },
  deliver: (sim: Sim, { pick }: Step) => sim.deliver(pick),
  deliverAll: (sim: Sim) => sim.deliverAll(),
  answer: (sim: Sim, { pick }: Step) => sim.agents[pick % sim.agents.length]?.answer(),
  end: (sim: Sim, { pick }: Step) => sim.agents[pick % sim.agents.length]?.end(true, 'success', pick),
  pass: (sim: Sim, { pick }: Step) => sim.advance([10, 60, 100, 300, 2_000][pick % 5] ?? 0),
  /** Time passes, nothing arrives. */
  passUnheard: (sim: Sim) => {
    sim.nowMs += 100;
  },
  ring: (sim: Sim, { at }: Step) => sim.ring(at),
  /** The term runs out and goes to that gateway, while all that is on its way stays there. */
  handOver: (sim: Sim, { at }: Step) => {
    sim.nowMs = Math.max(sim.nowMs, sim.term.untilMs);
    sim.ring(at);
  },
  kill: (sim: Sim, { at }: Step) => sim.kill(at),
  pause: (sim: Sim, { at }: Step) => {
    sim.at(at).isPaused = true;
  },
  resume: (sim: Sim, { at }: Step) => {
    sim.at(at).isPaused = false;
  },
  cut: (sim: Sim, { at, pick }: Step) => sim.cut(at, pick),
};

const weights: Readonly<Record<Step['kind'], number>> = {
  callCapped: 10,
  callFree: 2,
  deliver: 20,
  deliverAll: 5,
  answer: 2,
  end: 5,
  pass: 3,
  passUnheard: 2,
  ring: 3,
  handOver: 4,
  kill: 1,
  pause: 1,
  resume: 3,
  cut: 2,
};
const kinds = Object.keys(weights) as Step['kind'][];
const step: fc.Arbitrary<Step> = fc.oneof(
  ...kinds.map((kind) => ({
    weight: weights[kind],
    arbitrary: fc.record({ kind: fc.constant(kind), at: fc.nat(1), pick: fc.nat(999) }),
  })),
);

/** Everybody runs, every link is whole, and gateway 0 is the owner for long enough. */
async function quiet(sim: Sim): Promise<void> {
  sim.cuts.clear();
  for (const gateway of sim.gateways) gateway.isPaused = false;
  for (let n = 0; n < 90; n += 1) {
    for (const agent of sim.agents) while (agent.run !== null) agent.end();
    sim.ring(0);
    sim.advance(500);
    await sim.flush();
  }
}

const happen = (kind: Step['kind'], at = 0, pick = 0): Step => ({ kind, at, pick });
/** A new life gets the term before its first links are up, while a claim of the one before is on no label yet. */
const newLifeAmongOldClaims: Step[] = [
  happen('handOver'),
  happen('callCapped'),
  happen('deliverAll'),
  happen('kill', 1),
  happen('handOver', 1),
  happen('callCapped', 1, 1),
  happen('deliverAll'),
  happen('deliverAll'),
  happen('pass'),
];

test.each<[above: string, perInstance: number, limitQueue: LimitQueueRules | undefined]>([
  ['is refused', 1, undefined],
  ['waits', 1, { maxWaitMs: 2_000, maxCount: 6 }],
  ['is refused', 3, undefined],
  ['waits', 3, { maxWaitMs: 2_000, maxCount: 6 }],
])(
  'two gateways among the same pods, what is above the cap %s, %i at once in a pod: nothing runs twice, the cap holds, everything ends',
  async (_above, perInstance, limitQueue) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
        const sim = new Sim(5, limitQueue, perInstance);
        sim.deliverAll();
        for (const [index, each] of steps.entries()) {
          acts[each.kind](sim, each, index);
          await sim.flush();
          expect(sim.maxOverlap).toBeLessThanOrEqual(2);
        }
        await quiet(sim);
        expect(sim.maxOverlap).toBeLessThanOrEqual(2);
        expect([...sim.runs.values()].filter((runs) => runs > 1)).toEqual([]);
        expect([...sim.fates].filter(([, fate]) => fate === 'waits')).toEqual([]);
        for (const [id, fate] of sim.fates) if (fate === 'not owner') expect(sim.runs.has(id)).toBe(false);
        // What is claimed has one user, and it is the owner.
        const stats = sim.gateways.map((gateway) => gateway.dispatcher.stats());
        const claimed = sim.agents.filter((agent) => agent.claim !== null && !agent.isDraining).length;
        expect(stats[0]?.slots).toMatchObject({ idle: claimed * perInstance, busy: 0, foreign: 0, lost: 0 });
        expect(stats[1]?.slots).toMatchObject({ idle: 0, busy: 0, foreign: 0, lost: 0 });
      }),
      { numRuns: perInstance === 1 ? 300 : 150, examples: [[newLifeAmongOldClaims]] },
    );
  },
  30_000,
);
