import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type PartName, type Platform, startPlatform } from '@kappa/local/platform';

const run = promisify(execFile);

/** A Function with one inline file, as JSON for kubectl. */
export function inlineFunction(name: string, runtime: 'nodejs24.x' | 'python3.11', spec: object = {}): object {
  const isNode = runtime === 'nodejs24.x';
  const content = isNode
    ? `export const handler = async (event) => ({ hello: event.name ?? '${name}' });\n`
    : `def handler(event, context):\n    return {"hello": event.get("name", "${name}")}\n`;
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: { name, namespace: 'default' },
    spec: {
      runtime,
      handler: 'index.handler',
      code: { inline: { files: [{ path: isNode ? 'index.mjs' : 'index.py', content }] } },
      ...spec,
    },
  };
}

/** The platform that `make dev` starts, with a state directory of its own, for one figure. */
export class BenchPlatform {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Calls in a second have no limit: the figures are about what it can do. */
  static async start(more: Readonly<Record<string, string>> = {}): Promise<BenchPlatform> {
    const environment = { KAPPA_CALLS_PER_CONCURRENCY: '0', ...more };
    const stateDir = mkdtempSync(join(tmpdir(), 'kappa-bench-'));
    const ports = { gateway: 0, api: 0, controller: 0 };
    return new BenchPlatform(
      await startPlatform({ stateDir, ports, examples: false, log: () => undefined, environment }),
    );
  }

  async stop(): Promise<void> {
    await this.#platform.stop();
    rmSync(this.#platform.stateDir, { recursive: true, force: true });
  }

  pid(part: PartName): number {
    const { pid } = this.#platform.part(part);
    if (pid === null) throw new Error(`${part} does not run`);
    return pid;
  }

  /** Ends one part and starts it again; it serves when this resolves. */
  restart(part: PartName): Promise<void> {
    return this.#platform.part(part).restart();
  }

  get stateDir(): string {
    return this.#platform.stateDir;
  }

  /** The gateway, without a slash at the end. */
  get url(): string {
    return this.#platform.url;
  }

  get kubeconfig(): string {
    return this.#platform.kubeconfig;
  }

  /** Address of Lambda's Invoke of a function. */
  invokeUrl(name: string): string {
    return `${this.url}/2015-03-31/functions/${name}/invocations`;
  }

  kubectl(args: readonly string[], input = ''): Promise<string> {
    const env = { ...process.env, KUBECONFIG: this.#platform.kubeconfig };
    const child = run(this.#platform.kubectl, [...args], { env, maxBuffer: 1 << 26 });
    child.child.stdin?.on('error', () => undefined).end(input); // kubectl may end without reading it
    return child.then(({ stdout }) => stdout);
  }

  /** Applies functions and waits until every one is Active. */
  async make(functions: readonly object[]): Promise<void> {
    await this.kubectl(
      ['apply', '--server-side', '-f', '-'],
      functions.map((fn) => JSON.stringify(fn)).join('\n---\n'),
    );
    const states = ['get', 'fn', '-o', 'jsonpath={.items[*].status.state}'];
    const isActive = async (): Promise<boolean> =>
      (await this.kubectl(states)).split(' ').every((state) => state === 'Active');
    await until('every function is Active', isActive);
  }

  /** The same, and waits until the gateway knows the last: only where it asks nobody who he is. */
  async apply(functions: readonly object[]): Promise<void> {
    await this.make(functions);
    const last = (functions.at(-1) as { metadata: { name: string } }).metadata.name;
    const isKnown = async (): Promise<boolean> =>
      (
        await fetch(this.invokeUrl(last), {
          method: 'POST',
          headers: { 'x-amz-invocation-type': 'DryRun' },
          body: '{}',
        })
      ).status === 204;
    await until('the gateway knows the functions', isKnown);
  }

  /** Sets a pool's floor and waits until it is full. The pool exists once a function uses its runtime. */
  async fillPool(pool: string, minReplicas: number): Promise<void> {
    const patch = JSON.stringify({ spec: { minReplicas, replicas: minReplicas, maxPods: 500 } });
    await until('the pool exists', () =>
      this.kubectl(['get', 'pool', pool, '-n', 'kappa-functions']).then(
        () => true,
        () => false,
      ),
    );
    await this.kubectl(['patch', 'pool', pool, '-n', 'kappa-functions', '--type=merge', '-p', patch]);
    await this.whenFull(pool, minReplicas);
  }

  /** Waits until a pool has that many ready generic pods. */
  async whenFull(pool: string, count: number): Promise<void> {
    const path = ['get', 'pool', pool, '-n', 'kappa-functions', '-o', 'jsonpath={.status.readyReplicas}'];
    await until(`${count} pods are ready`, async () => Number(await this.kubectl(path)) >= count);
  }
}

/** Waits for a condition, up to two minutes; asks every `pauseMs`. @throws Error that says what did not come true */
export async function until(what: string, isTrue: () => Promise<boolean>, pauseMs = 50): Promise<void> {
  const endMs = performance.now() + 120_000;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`not within two minutes: ${what}`);
    await pause(pauseMs);
  }
}
