import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

const folder = mkdtempSync(join(tmpdir(), 'kappa-life-cycle-'));
let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** The one letter of /proc/PID/stat that says what a process does: T is stopped. */
const stateOf = (pid: number): string | undefined => /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];

test('between calls a function stands still', async () => {
  await kappa.applyReady(nodeFunction('still', `export const handler = () => process.pid;`));
  for (const _ of [1, 2]) {
    const { payload } = await invoke(kappa.endpoint, 'still');
    await eventually('it is stopped', () => Promise.resolve(stateOf(Number(payload)) === 'T'));
  }
}, 60_000);

test('a function that wants to go on does what it has left for after its answer', async () => {
  const later = `import { writeFileSync } from 'node:fs';
    export const handler = ({ file }) => { setTimeout(() => writeFileSync(file, 'done'), 500); return 'answered'; };`;
  await kappa.applyReady(nodeFunction('busy', later, { idle: 'Running' }));
  const file = join(folder, 'later');
  expect(await invoke(kappa.endpoint, 'busy', { payload: { file } })).toMatchObject({ payload: 'answered' });
  await eventually('it is done', () => Promise.resolve(existsSync(file)));
}, 60_000);

test('after an exit a new process finds the old /tmp', async () => {
  const code = `import { existsSync, writeFileSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    export const handler = () => {
      const file = tmpdir() + '/seen';
      if (existsSync(file)) return 'kept';
      writeFileSync(file, '');
      process.exit(1);
    };`;
  // with one pod the second call waits until the first one is ready again
  await kappa.applyReady(nodeFunction('exits', code, { concurrency: { reserved: 1, onLimit: 'Queue' } }));
  expect(await invoke(kappa.endpoint, 'exits')).toMatchObject({ payload: { errorType: 'Runtime.ExitError' } });
  expect(await invoke(kappa.endpoint, 'exits')).toMatchObject({ payload: 'kept' });
}, 60_000);
