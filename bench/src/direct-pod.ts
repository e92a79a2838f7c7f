import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '@kappa/local/platform';
import { AgentLink } from './agent-link.ts';
import { until } from './bench-platform.ts';

const podIp = '127.19.7.5';
const source = `export const handler = async (event) => ({ hello: event.name ?? 'hello' });\n`;

/** One real pod without a platform: agent and Node.js runtime, claimed and called over the link by the bench itself. */
export class DirectPod {
  readonly #child: ChildProcess;
  readonly #link: AgentLink;
  readonly #folder: string;

  private constructor(child: ChildProcess, link: AgentLink, folder: string) {
    this.#child = child;
    this.#link = link;
    this.#folder = folder;
  }

  static async start(): Promise<DirectPod> {
    const folder = mkdtempSync(join(tmpdir(), 'kappa-direct-'));
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const podUid = randomUUID();
    const child = startAgent(folder, podUid, publicKey);
    await until('the pod is ready', () =>
      fetch(`http://${podIp}:9101/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    return new DirectPod(child, await AgentLink.open(podIp, podUid, privateKey, source), folder);
  }

  /** @see AgentLink.latenciesUs */
  latenciesUs(count: number): Promise<readonly number[]> {
    return this.#link.latenciesUs(count);
  }

  async stop(): Promise<void> {
    this.#link.close();
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
    rmSync(this.#folder, { recursive: true });
  }
}

function startAgent(folder: string, podUid: string, publicKey: KeyObject): ChildProcess {
  for (const name of ['task', 'opt', 'tmp']) mkdirSync(join(folder, name));
  const agent = join(repository, 'runtime-images/agent/bin/agent');
  const bootstrap = join(repository, 'runtime-images/nodejs/bootstrap.mjs');
  return spawn(agent, ['--', process.execPath, bootstrap], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      KAPPA_POD_UID: podUid,
      KAPPA_POD_NAME: 'direct',
      KAPPA_POD_IP: podIp,
      KAPPA_RUNTIME: 'nodejs24.x',
      KAPPA_REGION: 'us-east-1',
      KAPPA_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      KAPPA_GATEWAY_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      KAPPA_TASK_DIR: join(folder, 'task'),
      KAPPA_OPT_DIR: join(folder, 'opt'),
      KAPPA_TMP_DIR: join(folder, 'tmp'),
      KAPPA_RUNTIME_API: `${podIp}:9001`,
    },
  });
}
