import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binDir = join(root, '.cache', 'bench');

/** Builds the Go programs of the bench; cheap when nothing changed. */
export function buildTools(): void {
  execFileSync('go', ['build', '-o', `${binDir}/`, './...'], {
    cwd: join(root, 'bench', 'go'),
    stdio: 'inherit',
    env: { ...process.env, CGO_ENABLED: '0' }, // static: they also run in images of nothing else
  });
}

/** Path of one of the built programs. */
export function tool(name: 'load' | 'stub-agent' | 'http-stub' | 'reverse-proxy'): string {
  return join(binDir, name);
}

/** What one run of the load program measured; times in microseconds. */
export interface LoadResult {
  readonly requests: number;
  readonly errors: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly lastError?: string;
}

/** How hard to load; always bounded in count and time. */
export interface LoadOptions {
  readonly connections: number;
  readonly requests: number;
  readonly limitSeconds?: number;
  /** Bytes of the body. */
  readonly size?: number;
  /** Callers get the processor as soon as anybody: where their latency is measured, and nobody's CPU time. Default false. */
  readonly isHurried?: boolean;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** This process runs in the namespaces of a cluster, which no packet leaves: private addresses are loaded, too. */
  readonly isInCluster?: boolean;
}

/** Runs the load program against loopback URLs. @throws Error when a URL leads elsewhere */
export async function load(urls: readonly string[], options: LoadOptions): Promise<LoadResult> {
  const { connections, requests, limitSeconds = 30, size = 512, headers = {} } = options;
  const { isHurried = false, isInCluster = false } = options;
  for (const url of urls) {
    const { hostname } = new URL(url);
    if (hostname !== '127.0.0.1' && !(isInCluster && /^10\./.test(hostname)))
      throw new Error(`load stays on this machine: ${url}`);
  }
  const flags = [`-connections=${connections}`, `-requests=${requests}`, `-limit=${limitSeconds}s`, `-size=${size}`];
  if (isHurried) flags.push('-batch=false');
  for (const [name, value] of Object.entries(headers)) flags.push(`-header=${name}: ${value}`);
  const { stdout } = await promisify(execFile)(tool('load'), [...flags, ...urls], { maxBuffer: 1 << 22 });
  return JSON.parse(stdout) as LoadResult;
}

/** A server process of the bench on a loopback port. */
export interface Served {
  readonly pid: number;
  readonly url: string;
  readonly stop: () => void;
}

/** Starts a program and waits until its port answers. */
export async function serve(command: string, args: readonly string[], port: number): Promise<Served> {
  const child: ChildProcess = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${command}`);
  for (let tries = 0; !(await isListening(port)); tries++) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`${command} does not listen on ${port}`);
    await pause(25);
  }
  return { pid, url: `http://127.0.0.1:${port}/`, stop: () => child.kill('SIGKILL') };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
