/** `make dev`: all of Kappa in one terminal. Wiring only. */
import { join } from 'node:path';
import { kubectlVersion } from '../kubectl.ts';
import { Held } from '../node/holder.ts';
import { makeFindInterpreter } from '../node/interpreters.ts';
import { findLocalRuntimes, lacksOf, readRuntimes } from '../node/runtimes.ts';
import { closingText } from './closing-text.ts';
import { parseConfig } from './config.ts';
import { heldText, type Platform, partNames, repository, startPlatform } from './platform.ts';
import { prefixOf, renderLine } from './render-log.ts';

const config = parseConfig(process.env, process.argv.slice(2), process.cwd());
const names: readonly string[] = ['dev', ...partNames];
const isColoured = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
const starting = new AbortController();
let platform: Platform | null = null;
let signals = 0;

const log = (name: string, text: string): void => {
  for (const line of text.split('\n')) {
    process.stdout.write(`${prefixOf(name, names.indexOf(name), isColoured)}${renderLine(line)}\n`);
  }
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => onSignal());
// A closed terminal must not keep the parts from being ended.
process.stdout.on('error', () => undefined);

try {
  platform = await startPlatform({ ...config, log, signal: starting.signal });
  const entries = readRuntimes(join(repository, 'runtime-images'));
  const [ownKubectl, runtimes] = await Promise.all([
    kubectlVersion('kubectl'),
    findLocalRuntimes(entries, makeFindInterpreter(process.env['PATH'] ?? '', process.execPath)),
  ]);
  const lacks = lacksOf(entries, runtimes);
  const shown = { ...platform, folder: process.cwd(), ownKubectl, runtimes, lacks, hasExamples: config.examples };
  const text = closingText(shown);
  if (signals === 0) process.stdout.write(text);
} catch (error) {
  if (!starting.signal.aborted) {
    const message = error instanceof Held ? heldText(error, config.stateDir) : messageOf(error);
    process.stderr.write(`make dev: ${message}\n`);
    process.exitCode = 1;
  }
}

/** The first ends everything in order; the second does not wait for anything. */
function onSignal(): void {
  signals += 1;
  if (signals === 1) log('dev', 'ending everything (Ctrl-C again: at once)');
  if (platform === null) starting.abort(new Error('ended by a signal'));
  else void platform.stop(signals === 1 ? undefined : 0).then(() => process.exit(0));
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stderr } = Object(error);
  return typeof stderr === 'string' && stderr !== '' ? `${error.message}\n${stderr}` : error.message;
}
