/**
 * Starts Jest for one suite: `node .ci/jest.ts unit|processes|contract|images|e2e|cluster [jest arguments]`.
 *
 * Jest needs `--experimental-vm-modules` to load ES modules; it is given to Node here, not to the children of the tests.
 *
 * In CI a file of tests that run whole processes is played again when one of them failed, twice at most: all of it, on a platform of its own that
 * no earlier try has touched. Two shared cores stand still at times. What failed stays in the output, and summary.ts tells it. A unit test is never
 * played again: its random seeds look for what goes wrong seldom. Of the specs on a cluster, one test is (second-try.ts): a file takes too long.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type JestReport, playedAgainLine } from './played-again.ts';

const suites: Readonly<Record<string, readonly string[]>> = {
  unit: ['--selectProjects', 'unit'],
  processes: ['--selectProjects', 'processes'],
  contract: ['--selectProjects', 'contract', '--runInBand'],
  images: ['--selectProjects', 'images', '--runInBand'],
  e2e: ['--selectProjects', 'e2e', '--runInBand'],
  cluster: ['--selectProjects', 'cluster', '--runInBand', '--testSequencer', './.ci/by-path.cjs'],
};
const replayed = ['processes', 'contract', 'images', 'e2e'];
const maxReplays = 2;

const [suite = 'unit', ...rest] = process.argv.slice(2);
const selection = suites[suite];
if (selection === undefined) throw new Error(`unknown suite ${suite}: one of ${Object.keys(suites).join(', ')}`);

const script = createRequire(import.meta.url).resolve('jest/bin/jest');
/** One run of Jest; answers its exit code. */
function jest(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['--experimental-vm-modules', script, ...args], { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): boolean => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, pass);
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      for (const each of ['SIGINT', 'SIGTERM'] as const) process.off(each, pass);
      resolve(code ?? (signal === null ? 1 : 128));
    });
  });
}

/** Plays the suite, and then the files in which something failed, until nothing does. */
async function withReplays(args: readonly string[], folder: string): Promise<number> {
  for (let replays = 0, files: readonly string[] = []; ; replays += 1) {
    const file = join(folder, `${replays}.json`);
    const code = await jest([...(replays === 0 ? args : files), '--json', `--outputFile=${file}`]);
    if (code === 0 || code >= 128 || replays === maxReplays) return code;
    const report = JSON.parse(readFileSync(file, 'utf8')) as JestReport;
    const failed = report.testResults.filter(({ status }) => status === 'failed');
    if (failed.length === 0) return code;
    console.log(playedAgainLine(failed.map((each) => ({ ...each, name: relative(process.cwd(), each.name) }))));
    files = [...(selection ?? []), '--runTestsByPath', ...failed.map(({ name }) => name)];
  }
}

if (process.env['CI'] === 'true' && replayed.includes(suite)) {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-jest-'));
  try {
    process.exitCode = await withReplays([...selection, ...rest], folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else process.exitCode = await jest([...selection, ...rest]);
