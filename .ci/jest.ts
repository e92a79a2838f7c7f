/**
 * Starts Jest for one suite: `node .ci/jest.ts unit|contract|images|e2e|cluster [jest arguments]`.
 *
 * Jest needs `--experimental-vm-modules` to load ES modules; it is given to Node here, not to the children of the tests.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const suites: Readonly<Record<string, readonly string[]>> = {
  unit: ['--selectProjects', 'unit'],
  contract: ['--selectProjects', 'contract', '--runInBand'],
  images: ['--selectProjects', 'images', '--runInBand'],
  e2e: ['--selectProjects', 'e2e', '--runInBand'],
  cluster: ['--selectProjects', 'cluster', '--runInBand', '--testSequencer', './.ci/by-path.cjs'],
};

const [suite = 'unit', ...rest] = process.argv.slice(2);
const selection = suites[suite];
if (selection === undefined) throw new Error(`unknown suite ${suite}: one of ${Object.keys(suites).join(', ')}`);
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const child = spawn(process.execPath, ['--experimental-vm-modules', jest, ...selection, ...rest], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128);
});
