import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

/** Root of the repository: the suite may be started from anywhere. */
export const repositoryRoot = new URL('../..', import.meta.url).pathname;

/** The API server that the suite speaks to. */
export interface ApiServer {
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
  /** True when the suite started the embedded API itself. */
  readonly isEmbedded: boolean;
  /** Ends the process, keeps its state, starts it again on the same state. Embedded only. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The server named by `KAPPA_CONTRACT_KUBECONFIG`, or, without it, an embedded API of the suite's own
 * with a temporary state directory.
 */
export async function startServer(): Promise<ApiServer> {
  const given = process.env['KAPPA_CONTRACT_KUBECONFIG'];
  if (given !== undefined && given !== '') {
    const refuse = () => Promise.reject(new Error('the suite does not restart a server that it did not start'));
    return { kubeconfig: given, isEmbedded: false, restart: refuse, stop: () => Promise.resolve() };
  }
  return startEmbeddedServer();
}

/** An embedded API with a temporary state directory, whatever the suite is pointed at. */
export async function startEmbeddedServer(): Promise<ApiServer> {
  const stateDir = await mkdtemp(join(tmpdir(), 'kappa-contract-'));
  let running = await startEmbedded(stateDir, 0);
  return {
    kubeconfig: running.kubeconfig,
    isEmbedded: true,
    restart: async () => {
      await end(running.child);
      running = await startEmbedded(stateDir, running.port);
    },
    stop: async () => {
      await end(running.child);
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly kubeconfig: string;
  readonly port: number;
}

async function startEmbedded(stateDir: string, port: number): Promise<Running> {
  const kubeconfig = join(stateDir, 'kubeconfig');
  await rm(kubeconfig, { force: true });
  const env = { ...process.env, KAPPA_STATE_DIR: stateDir, KAPPA_API_PORT: String(port) };
  const entry = join(repositoryRoot, 'local/src/api/main.ts');
  const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-8192);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  reportDeath(child, () => output);
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the embedded API exited with ${child.exitCode}: ${output}`);
    await access(kubeconfig);
  });
  const { connect } = await import('./api.ts');
  const api = await connect(kubeconfig);
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the embedded API exited with ${child.exitCode}: ${output}`);
    const answer = await api.send('GET', '/readyz');
    if (answer.status !== 200) throw new Error(`not ready: ${answer.status}`);
  });
  api.close();
  return { child, kubeconfig, port: Number(new URL(api.server).port) };
}

/** A server that dies by itself says why; the tests would only see refused connections. */
function reportDeath(child: ChildProcess, output: () => string): void {
  child.once('exit', (code, signal) => {
    if (!expectedExits.has(child)) process.stderr.write(`the embedded API died (${code ?? signal}): ${output()}\n`);
  });
}

const expectedExits = new WeakSet<ChildProcess>();

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  expectedExits.add(child);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
