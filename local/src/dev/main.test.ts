import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { environmentHas, listProcesses } from '../node/proc.ts';
import { eventually, makeFolder } from '../node/testing.ts';
import { repository } from './platform.ts';

let folder: ReturnType<typeof makeFolder>;
const started: Run[] = [];
beforeEach(() => {
  folder = makeFolder();
});
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
  // Whatever a failed test left: everything of a platform has its state directory in its environment.
  for (const pid of ours()) process.kill(pid, 'SIGKILL');
  await eventually('end of all', () => ours().length === 0);
  folder.remove();
});

/** One `make dev`. */
interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** Starts what `make dev` starts, with the test's state directory and any free ports. */
function start(...args: string[]): Run {
  const ports = { KAPPA_PORT: '0', KAPPA_API_PORT: '0', KAPPA_CONTROLLER_PORT: '0' };
  const { NODE_OPTIONS: _jest, ...environment } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    cwd: repository,
    env: { ...environment, ...ports, KAPPA_STATE_DIR: folder.path },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const run = { child, output: () => output, ended };
  started.push(run);
  return run;
}

function ours(): number[] {
  const running = listProcesses().filter(({ pid, state }) => pid !== process.pid && state !== 'Z');
  return running.map(({ pid }) => pid).filter((pid) => environmentHas(pid, folder.path));
}

const upText = 'Local mode isolates nothing';
const isUp = (run: Run) => eventually(`up:\n${run.output()}`, () => run.output().includes(upText), 90_000);
const agents = () => ours().filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'agent');

test('a fresh start serves the examples; a killed one is cleared up by the next; Ctrl-C leaves nothing', async () => {
  const first = start();
  await isUp(first);
  const url = /http:\/\/127\.0\.0\.1:\d+(?=\/fn\/)/.exec(first.output())?.[0];
  for (const [name, greeting] of [
    ['hello-node', 'Hello, you!'],
    ['hello-python', 'Hello, you!'],
  ]) {
    const answer = await fetch(`${url}/fn/default/${name}/?name=you`);
    expect(await answer.json()).toMatchObject({ message: greeting });
  }
  expect(agents().length).toBeGreaterThanOrEqual(2);

  const second = start();
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(`process ${first.child.pid} runs Kappa with the state directory ${folder.path}`);

  first.child.kill('SIGKILL');
  await first.ended;
  expect(agents().length).toBeGreaterThanOrEqual(2);
  const third = start('--no-examples');
  await isUp(third);
  expect(third.output()).toMatch(/ended what an earlier run left behind: 4 processes, \d+ pods/);

  third.child.kill('SIGINT');
  expect(await third.ended).toBe(0);
  expect(ours()).toEqual([]);
  expect(existsSync(join(folder.path, 'dev.json')) || existsSync(join(folder.path, 'dev.lock'))).toBe(false);
}, 240_000);

test('Ctrl-C during the start ends it too', async () => {
  const run = start('--no-examples');
  await eventually('first part', () => ours().length > 1);
  run.child.kill('SIGINT');
  await run.ended;
  expect(ours()).toEqual([]);
}, 120_000);
