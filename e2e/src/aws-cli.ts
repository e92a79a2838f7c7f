import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { openPromise } from 'yauzl';
import { AwsSession } from './aws-session.ts';

/** The `aws` command of the tests: Amazon's own, out of the layer that an npm package carries. Needs Python 3.9 or later. */
export class AwsCli {
  readonly #program: string;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(program: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#program = program;
    this.#environment = { PATH: process.env['PATH'], HOME: '/nonexistent', AWS_PAGER: '', ...environment };
  }

  /** The same command with other variables, e.g. another caller's credentials. */
  with(environment: Readonly<Record<string, string>>): AwsCli {
    return new AwsCli(this.#program, { ...this.#environment, ...environment });
  }

  /** The same command for many calls. */
  session(): Promise<AwsSession> {
    return AwsSession.start(dirname(this.#program), this.#environment);
  }

  /** Runs to the end; never throws on a non-zero exit. Ended after 60 s. */
  run(args: readonly string[]): Promise<AwsResult> {
    const options = { env: this.#environment, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 };
    return new Promise((resolve) =>
      execFile('python3', [this.#program, ...args], options, (error, stdout, stderr) =>
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
 * Takes the command out of the package, once; later calls find it there, whole or not at all.
 *
 * @param endpoint of Kappa's gateway
 */
export async function provideAwsCli(endpoint: string): Promise<AwsCli> {
  const require = createRequire(import.meta.url);
  const manifest: { readonly version: string } = require('@aws-cdk/asset-awscli-v1/package.json');
  const folder = join(import.meta.dirname, `../../.cache/awscli-${manifest.version}`);
  if (!existsSync(folder)) await unpack(require.resolve('@aws-cdk/asset-awscli-v1/lib/layer.zip'), folder);
  return new AwsCli(join(folder, 'awscli/aws'), {
    AWS_ENDPOINT_URL: endpoint,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'anybody',
    AWS_SECRET_ACCESS_KEY: 'anybody-at-all',
    AWS_MAX_ATTEMPTS: '1',
  });
}

async function unpack(layer: string, folder: string): Promise<void> {
  const fresh = `${folder}.${process.pid}`;
  const zip = await openPromise(layer, { lazyEntries: true });
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      const target = join(fresh, entry.fileName);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, await buffer(await zip.openReadStreamPromise(entry)));
    }
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
