import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { namespaces } from '@kappa/crds/client/kinds';
import { connect } from '@kappa/crds/client/kubernetes';
import { type EmbeddedApi, startEmbedded } from '@kappa/crds/client/testing-embedded';

import { bundle, type entries } from './bundle.ts';
import type { BundledPackage } from './licenses.ts';
import { sourcePositions } from './source-positions.ts';

const execute = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
/** Of what starts many processes, on a busy machine. */
const PATIENCE_MS = 300_000;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const running: ChildProcess[] = [];
let folder = '';
let app = '';
let api: EmbeddedApi;
let packages: readonly BundledPackage[] = [];

// Outside the repository, so that nothing of it is found by accident.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kappa-bundle-'));
  app = join(folder, 'app');
  packages = await bundle(root, folder);
  await writeFile(join(folder, 'gateway.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  api = await startEmbedded(join(folder, 'state'), 0);
  for (const name of ['kappa-system', 'kappa-functions'])
    await connect(kubeconfig()).apply(namespaces, { metadata: { name } }, 'test');
}, PATIENCE_MS);
afterEach(async () => {
  for (const child of running.splice(0)) await killed(child);
});
afterAll(async () => {
  await api.stop();
  await rm(folder, { recursive: true, force: true });
});

test.each<[name: keyof typeof entries, settings: Record<string, string>, want: RegExp]>([
  ['gateway', { KAPPA_PORT: 'none' }, /bad configuration: KAPPA_PORT not in \[0, 65535\]\n {4}at parseConfig /],
  ['controller', { KAPPA_CONTROLLER_PORT: 'none' }, /KAPPA_CONTROLLER_PORT not in .*\n {4}at parseConfig /],
  ['publish', {}, /KAPPA_PUBLIC_KEY is empty/],
  ['setup', { KUBECONFIG: '/nowhere' }, /\n {4}at connect /],
])('%s says what is wrong with its settings, and where', async (name, settings, want) => {
  const { code, output } = await end(start(name, { ...settings }));
  expect(output).toMatch(want);
  expect(code).toBe(1);
});

test('a stack trace can be told in terms of the sources', async () => {
  const { output } = await end(start('gateway', { KAPPA_PORT: 'none' }));
  const [, file = '', line] =
    /at parseConfig \((\S+):(\d+):\d+\)/.exec(sourcePositions(output, join(folder, 'maps'))) ?? [];
  expect(file).toBe('gateway/src/config.ts');
  const source = await readFile(join(root, file), 'utf8');
  expect(source.split('\n')[Number(line) - 1]).toContain('throw new Error(`bad configuration');
});

test(
  'an install comes up, and goes, from the bundles alone',
  async () => {
    const der = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    await ends('setup');
    await ends('publish', { KAPPA_PUBLIC_KEY: der });
    // Nobody answers there, and nobody has to; but what would call them is loaded.
    const store = { KAPPA_S3_ENDPOINT: 'http://127.0.0.1:1' };
    const redis = { KAPPA_REDIS_URL: 'redis://127.0.0.1:1' };
    const gateway = start('gateway', {
      ...store,
      ...redis,
      KAPPA_PORT: '0',
      KAPPA_PUBLIC_URL: 'http://127.0.0.1:1',
      KAPPA_SIGNING_KEY_FILE: join(folder, 'gateway.key'),
      KAPPA_BLOB_DIR: join(folder, 'gateway-blobs'),
    });
    const controller = start('controller', {
      ...store,
      KAPPA_CONTROLLER_PORT: '0',
      KAPPA_BLOB_DIR: join(folder, 'controller-blobs'),
      KAPPA_POOL_MIN_REPLICAS: '0',
    });
    await Promise.all([says(gateway, 'ready'), says(controller, 'leading')]);
    for (const child of running.splice(0)) await killed(child);
    await ends('uninstall', { KAPPA_UNINSTALL_GRACE_SECONDS: '1' });
  },
  PATIENCE_MS,
);

test(
  'each part that is loaded when it is needed can be loaded',
  async () => {
    const parts = (await readdir(join(app, 'dist'))).filter((name) => name.startsWith('part-'));
    expect(parts.length).toBeGreaterThan(0);
    const load = parts.map((name) => `await import('./dist/${name}');`).join('');
    const { stdout, stderr } = await execute(process.execPath, ['--input-type=module', '-e', load], { cwd: app });
    expect([stdout, stderr]).toEqual(['', '']);
  },
  PATIENCE_MS,
);

test('the packages within may be passed on, and their licences are', async () => {
  const permissive = /^(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0|Unlicense)$/;
  const names = packages.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['express', '@aws-sdk/client-s3', 'pino', 'ajv', 'yaml']));
  expect(packages.filter(({ license }) => !permissive.test(license))).toEqual([]);
  const text = await readFile(join(app, 'THIRD-PARTY-LICENSES'), 'utf8');
  expect(packages.filter(({ name, version }) => !text.includes(`${name} ${version} (`))).toEqual([]);
});

test('there are bundles and data, but no sources, source maps or modules', async () => {
  const files = (await readdir(app, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  expect(files.map(({ name }) => name).filter((name) => /\.(ts|map)$/.test(name))).toEqual([]);
  expect(files.filter(({ parentPath }) => parentPath.includes('node_modules'))).toEqual([]);
  expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['LICENSE', 'runtimes.yaml']));
});

const kubeconfig = (): string => join(folder, 'state/kubeconfig');

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
}

function start(name: keyof typeof entries, settings: Readonly<Record<string, string>>): Running {
  const env = { PATH: process.env['PATH'], KUBECONFIG: kubeconfig(), ...settings };
  const args = ['--disable-warning=ExperimentalWarning', `dist/${name}.js`];
  const child = spawn(process.execPath, args, { cwd: app, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  const pieces: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => pieces.push(String(piece)));
  return { child, output: () => pieces.join('') };
}

async function end({ child, output }: Running): Promise<{ readonly code: number | null; readonly output: string }> {
  await once(child, 'close');
  return { code: child.exitCode, output: output() };
}

async function ends(name: keyof typeof entries, settings: Readonly<Record<string, string>> = {}): Promise<void> {
  const { code, output } = await end(start(name, settings));
  expect(code === 0 ? '' : output).toBe('');
  expect(output).not.toContain('"level":40');
}

/** Waits for a line of its log. */
async function says({ child, output }: Running, message: string): Promise<void> {
  const line = `"msg":"${message}"`;
  while (!output().includes(line)) {
    if (child.exitCode !== null || child.stdout === null)
      throw new Error(`ended before it said ${message}: ${output()}`);
    await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
