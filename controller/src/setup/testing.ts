import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Kubernetes } from '@kappa/crds/client/kubernetes';
import type { FunctionObject } from '@kappa/crds/function';
import type { Manifest } from '@kappa/crds/object-meta';
import { Waiting } from './waiting.ts';

/** An embedded Kubernetes API of a test's own. */
export interface TestApi {
  readonly kubeconfig: string;
  readonly kubernetes: Kubernetes;
  stop(): Promise<void>;
}

const repositoryRoot = new URL('../../..', import.meta.url).pathname;

/** Starts the embedded API on a port that the system chooses, with a temporary state. */
export async function startApi(): Promise<TestApi> {
  const stateDir = await mkdtemp(join(tmpdir(), 'kappa-setup-'));
  const env = { ...process.env, KAPPA_STATE_DIR: stateDir, KAPPA_API_PORT: '0' };
  const child = spawn(process.execPath, [join(repositoryRoot, 'local/src/api/main.ts')], { env, stdio: 'ignore' });
  const kubeconfig = join(stateDir, 'kubeconfig');
  const isWritten = (): Promise<boolean> =>
    access(kubeconfig).then(
      () => true,
      () => false,
    );
  await quickly().until('the embedded API has written its kubeconfig', isWritten);
  return { kubeconfig, kubernetes: connect(kubeconfig), stop: () => stop(child, stateDir) };
}

/** Runs an entry point of this folder as the cluster does, and gives its exit code. */
export async function runEntry(name: string, env: Readonly<Record<string, string>>): Promise<number | null> {
  const child = spawn(process.execPath, [join(repositoryRoot, 'controller/src/setup', name)], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  await once(child, 'exit');
  return child.exitCode;
}

/** The least that a Function in namespace default needs: the API server fills in the defaults. */
export function minimalFunction(name: string): Manifest<FunctionObject> {
  const code = { inline: { files: [{ path: 'index.mjs', content: 'export const handler = () => 1;' }] } };
  const spec = { runtime: 'nodejs24.x', handler: 'index.handler', code } as Partial<FunctionObject['spec']>;
  return { metadata: { name, namespace: 'default' }, spec: spec as FunctionObject['spec'] };
}

/** Patience of a test: real time, short steps. */
export function quickly(limitMs = 20_000): Waiting {
  return new Waiting({
    nowMs: () => performance.now(),
    sleep: (ms) => sleep(ms),
    limitMs,
    everyMs: 20,
    onWait: () => undefined,
  });
}

async function stop(child: ChildProcess, stateDir: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
  await rm(stateDir, { recursive: true, force: true });
}
