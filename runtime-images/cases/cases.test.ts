import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

import { columns, localColumns } from './columns.ts';
import { matrix } from './matrix.ts';
import { playCases } from './play.ts';

/*
 * Every case with every runtime that this machine has: a real agent, a real language process, the gateway's own link to them.
 */

const here = await localColumns();

for (const column of here) {
  const { title, version, runtime, interpreter } = column;
  playCases(`${title} ${version}`.trim(), column, { runtime, place: () => interpreter });
}

test('a machine of CI has every language', () => {
  if (process.env['CI'] === undefined) expect(here.length).toBeGreaterThan(0);
  else expect(here.map(({ title }) => title)).toEqual(columns.map(({ title }) => title));
});

test('docs/runtimes.md has the matrix of these cases', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/runtimes.md'), 'utf8');
  expect(page).toContain(matrix());
});
