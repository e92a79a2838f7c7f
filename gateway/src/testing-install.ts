import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kind, namespaces } from '@kappa/crds/client/kinds';
import { connect, type Kubernetes } from '@kappa/crds/client/kubernetes';
import { type EmbeddedApi, startEmbedded } from '@kappa/crds/client/testing-embedded';
import { parse } from 'yaml';

import { fetchOnce } from './testing.ts';

/*
 * An install without nodes: the embedded Kubernetes API with Kappa's objects, the controller, and as many gateways as a test wants, each a
 * process of its own. Functions become Active; nothing runs them.
 */

const repository = new URL('../..', import.meta.url).pathname;

const definitions: Kind<unknown> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  isNamespaced: false,
  parse: (value) => value,
};

/** A gateway that runs. */
export interface TestGateway {
  readonly port: number;
  /** What its log says of warnings and worse, one line each. */
  readonly problems: readonly string[];
  /** Whether its process is still there. */
  readonly isAlive: () => boolean;
}

/** See above. The one who starts it stops it. */
export class TestInstall {
  readonly kubernetes: Kubernetes;
  readonly #stateDir: string;
  readonly #api: EmbeddedApi;
  readonly #children: ChildProcess[] = [];

  private constructor(stateDir: string, api: EmbeddedApi) {
    this.#stateDir = stateDir;
    this.#api = api;
    this.kubernetes = connect(this.kubeconfig);
  }

  static async start(): Promise<TestInstall> {
    const stateDir = await mkdtemp(join(tmpdir(), 'kappa-install-'));
    const install = new TestInstall(stateDir, await startEmbedded(stateDir, 0));
    try {
      await install.#setUp();
    } catch (err) {
      await install.stop();
      throw err;
    }
    return install;
  }

  get kubeconfig(): string {
    return join(this.#stateDir, 'kubeconfig');
  }

  /** Starts one more gateway, and waits until it serves. @param settings variables of its environment */
  async gateway(settings: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
    const port = await freePort();
    const child = this.#spawn('gateway/src/main.ts', { KAPPA_PORT: String(port), ...settings });
    const problems: string[] = [];
    const lines = child.stdout === null ? null : createInterface(child.stdout);
    lines?.on('line', (line) => {
      if (problems.length < MAX_PROBLEMS && Number(JSON.parse(line).level) >= WARNING) problems.push(line);
    });
    const endMs = performance.now() + START_MS;
    while (!(await fetchOnce(port, { path: '/readyz' }).then(({ status }) => status === 200, notYet))) {
      if (performance.now() > endMs) throw new Error(`no gateway came up: ${problems.join('\n')}`);
      await sleep(PAUSE_MS);
    }
    return { port, problems, isAlive: () => hasNotEnded(child) };
  }

  async stop(): Promise<void> {
    for (const child of this.#children.filter(hasNotEnded)) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    await this.#api.stop();
    await rm(this.#stateDir, { recursive: true, force: true });
  }

  async #setUp(): Promise<void> {
    for (const name of ['kappa-system', 'kappa-functions'])
      await this.kubernetes.apply(namespaces, { metadata: { name } }, 'test');
    const folder = join(repository, 'crds/manifests');
    const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
    for (const file of files)
      await this.kubernetes.apply(definitions, parse(await readFile(join(folder, file), 'utf8')), 'test');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(this.#keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    this.#spawn('controller/src/main.ts', { KAPPA_CONTROLLER_PORT: '0', KAPPA_POOL_MIN_REPLICAS: '0' });
  }

  get #keyFile(): string {
    return join(this.#stateDir, 'gateway.key');
  }

  #spawn(script: string, settings: Readonly<Record<string, string>>): ChildProcess {
    const env = {
      PATH: process.env['PATH'],
      KUBECONFIG: this.kubeconfig,
      KAPPA_BLOB_DIR: join(this.#stateDir, 'blobs'),
      KAPPA_SIGNING_KEY_FILE: this.#keyFile,
      KAPPA_RUNTIMES_FILE: join(repository, 'runtime-images/runtimes.yaml'),
      KAPPA_ALLOW_LOCAL_CODE: 'true',
      ...settings,
    };
    const args = ['--disable-warning=ExperimentalWarning', join(repository, script)];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout?.resume(); // whoever wants lines reads them besides
    this.#children.push(child);
    return child;
  }
}

/** Of pino. */
const WARNING = 40;
/** A process starts within so long, also on a busy machine. */
const START_MS = 60_000;
const PAUSE_MS = 20;
/** Enough to explain a failure. */
const MAX_PROBLEMS = 200;

function hasNotEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function notYet(): boolean {
  return false;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
