import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { providePythonPackages } from './python-packages.ts';

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
    const environment = { PATH: process.env['PATH'], HOME: '/nonexistent', PYTHONPATH: providePythonPackages('moto') };
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
