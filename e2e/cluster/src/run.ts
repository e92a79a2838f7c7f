import { spawn } from 'node:child_process';

/** What one command said. */
export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command. */
export interface RunOptions {
  /** Written to its standard input. */
  readonly input?: string;
  /** Added to the harness's own environment. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly directory?: string;
  /** Network namespace to run it in. */
  readonly netns?: string;
  /** Killed after that; default 120,000. */
  readonly timeoutMs?: number;
}

/** The command of a command inside a network namespace; nsenter becomes the command, so its pid stays. */
export function inNamespace(netns: string | undefined, command: readonly string[]): readonly string[] {
  // Not `ip netns exec`: that mounts a new /sys without the cgroups, which containerd and the kubelet need.
  return netns === undefined ? command : ['nsenter', `--net=/run/netns/${netns}`, '--', ...command];
}

/** Runs a command to its end; never throws for its exit code, only when it cannot be started. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program = '', ...args] = inNamespace(options.netns, command);
  const child = spawn(program, args, {
    cwd: options.directory,
    env: { ...process.env, ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => undefined).end(options.input ?? ''); // it may end without reading
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/** Runs a command to its end and answers what it printed. Throws with its error output when it fails. */
export async function runOk(command: readonly string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** Runs a command on the caller's own terminal; answers its exit code (130 when a signal ended it). */
export function runAttached(command: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGTERM', pass);
  process.on('SIGINT', () => undefined); // the terminal sends it to the command as well
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 130));
  });
}

/** Asks every 100 ms until the answer is true. Throws, naming what was waited for, after `timeoutMs`. */
export async function waitUntil(what: string, timeoutMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const startMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startMs > timeoutMs) throw new Error(`${what}: not so after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
