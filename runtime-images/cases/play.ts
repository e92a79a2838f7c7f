import { afterAll, beforeAll, describe, test } from '@jest/globals';

import { eventually } from '../../e2e/src/eventually.ts';
import { type TestFunction, TestPod } from '../nodejs/testing.ts';
import type { Place } from '../nodejs/testing-places.ts';
import type { TestFiles } from '../nodejs/zip.ts';
import { type Bench, cases } from './cases.ts';
import type { Column } from './columns.ts';

/** Declares one test for each case, with a function of the column's language in pods of one place. */
export function playCases(
  title: string,
  column: Column,
  place: { readonly runtime: string; readonly place: () => Place },
): void {
  describe(title, () => {
    const pods: TestPod[] = [];
    let shared: TestPod;
    let files: TestFiles;

    const generic = async (): Promise<TestPod> => {
      const pod = await TestPod.start(place.runtime, place.place());
      pods.push(pod);
      return pod;
    };
    const claim = (pod: TestPod, fn: Partial<TestFunction>): Promise<void> =>
      pod.claim({ files, handler: column.handler, ...fn });
    const bench: Bench = {
      column,
      call: (event, head) => shared.invoke(typeof event === 'string' ? event : JSON.stringify(event), head),
      logged: async (requestId) => {
        const lines = new RegExp(`START RequestId: ${requestId} [\\s\\S]*END RequestId: ${requestId}\\n`);
        return await eventually(`the log of ${requestId}`, async () => lines.exec(shared.output)?.[0]);
      },
      taskRoot: () => shared.taskRoot,
      optRoot: () => shared.optRoot,
      hasOwnTmp: () => shared.taskRoot !== '/var/task',
      generic,
      claim,
      alone: async (fn) => {
        const pod = await generic();
        await claim(pod, fn);
        return pod;
      },
    };

    beforeAll(async () => {
      files = await column.makeFiles();
      shared = await bench.alone({ environment: { COLOUR: 'blü' }, layers: fiveLayers(await column.makeLayer()) });
    }, 120_000);
    afterAll(async () => {
      await Promise.all(pods.map((pod) => pod.stop()));
    });

    test.each(cases.map((each) => [each.title, each] as const))('%s', (_name, { check }) => check(bench));
  });
}

/** As many as a function may have: the second one's files win over the first one's, and the others bring other ones. */
function fiveLayers(layer: TestFiles): readonly TestFiles[] {
  const hidden = Object.fromEntries(Object.keys(layer).map((path) => [path, 'not this one']));
  const others = ['third', 'fourth', 'fifth'].map((name) => ({ [`extra/${name}`]: name }));
  return [hidden, layer, ...others];
}
