import { spawn } from 'node:child_process';

/** How {@link run} starts a command. */
export interface RunOptions {
  /** Working directory; default: this process's. */
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end and gives its standard output. @throws Error with the end of both outputs when it fails */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  const all: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.push(text);
    all.push(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => all.push(text));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  const code = await promise;
  if (code === 0) return output.join('');
  throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${all.join('').slice(-4_000)}`);
}
