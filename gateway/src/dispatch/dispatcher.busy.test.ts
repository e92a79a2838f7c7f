import { expect, test } from '@jest/globals';
import { Sim } from './testing-sim.ts';

test('a call that runs already in a pod of several is refused there and runs elsewhere; the pod takes further calls, nothing of it is lost', async () => {
  const sim = new Sim(2, undefined, 3);
  sim.ring(0);
  sim.deliverAll();
  const call = async (id: number) => {
    sim.invoke(0, sim.free, id);
    sim.deliverAll();
    await sim.flush();
    sim.deliverAll();
  };
  await call(1);
  await call(1);
  expect(sim.agents.map(({ runs, isDraining }) => [runs.length, isDraining])).toEqual([
    [1, false],
    [1, false],
  ]);
  expect(sim.at(0).dispatcher.stats().slots).toMatchObject({ idle: 2, foreign: 2 });
  sim.advance(1_500); // in which the pod is asked
  expect(sim.at(0).dispatcher.stats().slots).toMatchObject({ idle: 4, foreign: 0 });
  for (const id of [2, 3, 4, 5]) await call(id);
  expect(sim.agents.map(({ runs }) => runs.length)).toEqual([3, 3]);
  for (const agent of sim.agents) while (agent.run !== null) agent.end();
  sim.deliverAll();
  await sim.flush();
  expect([...sim.fates.values()]).toEqual(['answered', 'answered', 'answered', 'answered', 'answered']);
  expect(sim.at(0).dispatcher.stats().slots).toMatchObject({ idle: 6, busy: 0, foreign: 0, lost: 0 });
});
