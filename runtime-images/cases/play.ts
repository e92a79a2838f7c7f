import { afterAll, beforeAll, describe, test } from '@jest/globals';

import { eventually } from '../../e2e/src/eventually.ts';
import { TestPod } from '../nodejs/testing.ts';
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

    const start = async (fn: Partial<Parameters<TestPod['claim']>[0]>): Promise<TestPod> => {
      const pod = await TestPod.start(place.runtime, place.place());
      pods.push(pod);
      await pod.claim({ files, handler: column.handler, ...fn });
      return pod;
    };
    const bench: Bench = {
      column,
      call: (event, head) => shared.invoke(typeof event === 'string' ? event : JSON.stringify(event), head),
      logged: async (requestId) => {
        const lines = new RegExp(`START RequestId: ${requestId} [\\s\\S]*END RequestId: ${requestId}\\n`);
        return await eventually(`the log of ${requestId}`, async () => lines.exec(shared.output)?.[0]);
      },
      taskRoot: () => shared.taskRoot,
      hasOwnTmp: () => shared.taskRoot !== '/var/task',
      alone: start,
    };

    beforeAll(async () => {
      files = await column.makeFiles();
      shared = await start({ environment: { COLOUR: 'blü' }, layers: [await column.makeLayer()] });
    }, 120_000);
    afterAll(async () => {
      await Promise.all(pods.map((pod) => pod.stop()));
    });

    test.each(cases.map((each) => [each.title, each] as const))('%s', (_name, { check }) => check(bench));
  });
}
