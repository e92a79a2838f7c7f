import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const requirements = join(import.meta.dirname, '../moto/requirements.txt');
const cache = join(import.meta.dirname, '../../.cache');

/** moto: AWS's services as one real process on loopback, in memory. */
export class Moto {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts one. @param port 0 = a free one. @throws Error with what it wrote when it does not serve */
  static async start(port = 0): Promise<Moto> {
    const environment = { PATH: process.env['PATH'], HOME: '/nonexistent', PYTHONPATH: provideMoto() };
    const args = ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)];
    const child = spawn('python3', args, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
    const said: string[] = [];
    const serving = Promise.withResolvers<number>();
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (said.length < 100) said.push(line);
      const [, found] = /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
      if (found !== undefined) serving.resolve(Number(found));
    });
    child.once('error', serving.reject);
    child.once('exit', () => serving.reject(new Error(`moto ended: ${said.join('\n')}`)));
    const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
    try {
      return new Moto(child, await serving.promise);
    } finally {
      clearTimeout(late);
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends it; what it had is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** A folder for PYTHONPATH with the pinned packages, installed once by pip; later calls find it there, whole or not at all. */
function provideMoto(): string {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(cache, `moto-${digest}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  try {
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
    const args = ['-m', 'pip', 'install', ...options, '--target', fresh, '--requirement', requirements];
    execFileSync('python3', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}
