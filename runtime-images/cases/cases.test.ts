import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { eventually } from '../../e2e/src/eventually.ts';
import { TestPod } from '../nodejs/testing.ts';
import type { TestFiles } from '../nodejs/zip.ts';
import { type Bench, cases } from './cases.ts';
import { columns, localColumns } from './columns.ts';
import { matrix } from './matrix.ts';

/*
 * Every case with every runtime that this machine has: a real agent, a real language process, the gateway's own link to them.
 */

const here = await localColumns();

describe.each(here.map((column) => [`${column.title} ${column.version}`.trim(), column] as const))(
  '%s',
  (_title, column) => {
    const pods: TestPod[] = [];
    let shared: TestPod;
    let files: TestFiles;

    const start = async (fn: Partial<Parameters<TestPod['claim']>[0]>): Promise<TestPod> => {
      const pod = await TestPod.start(column.runtime, column.interpreter);
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
  },
);

test('a machine of CI has every language', () => {
  if (process.env['CI'] === undefined) expect(here.length).toBeGreaterThan(0);
  else expect(here.map(({ title }) => title)).toEqual(columns.map(({ title }) => title));
});

test('docs/runtimes.md has the matrix of these cases', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/runtimes.md'), 'utf8');
  expect(page).toContain(matrix());
});
