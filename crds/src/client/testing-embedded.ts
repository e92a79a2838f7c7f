import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** The embedded API as a process of its own. */
export interface EmbeddedApi {
  readonly port: number;
  /** Kills it; its state stays. */
  readonly stop: () => Promise<void>;
}

/** Starts it on a state directory, which then has `kubeconfig` and `pki`. @param port 0 = a free one */
export async function startEmbedded(stateDir: string, port: number): Promise<EmbeddedApi> {
  const main = new URL('../../../local/src/api/main.ts', import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [main], {
    env: { ...process.env, KAPPA_STATE_DIR: stateDir, KAPPA_API_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk);
    if (output.includes('\n')) break;
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return { port: Number(/:(\d+),/.exec(output)?.[1]), stop };
}
