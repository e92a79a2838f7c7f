import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type PartName, type Platform, repository, startPlatform } from '@kappa/local/platform';
import { ZipFile } from 'yazl';
import { eventually } from './eventually.ts';
import { Kubectl } from './kubectl.ts';

/** A pod as the tests look at it. */
export interface PodJson {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status?: { readonly phase?: string };
}

/** Lines of all parts are kept, so that a failure can be explained. */
const keptLines = 400;

/** Starts the platform that `make dev` starts, with a state directory and ports of its own. */
export async function startTestPlatform({
  examples,
  environment: more = {},
}: {
  readonly examples: boolean;
  /** More variables for all parts, e.g. `KAPPA_AUTH`. */
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<TestPlatform> {
  const stateDir = mkdtempSync(join(tmpdir(), 'kappa-e2e-'));
  const lines: string[] = [];
  const log = (name: string, line: string): void => {
    lines.push(`${name} ${line}`);
    if (lines.length > keptLines) lines.shift();
  };
  const ports = { gateway: 0, api: 0, controller: 0 };
  const environment = { KAPPA_LAG_MS: '0', ...more };
  return new TestPlatform(await startPlatform({ stateDir, ports, examples, log, environment }), lines);
}

/** A whole Kappa of one test file, spoken to from outside: kubectl, HTTP, signals. */
export class TestPlatform {
  readonly kubectl: Kubectl;
  /** What the parts wrote last. */
  readonly lines: readonly string[];
  readonly #platform: Platform;

  constructor(platform: Platform, lines: readonly string[]) {
    this.#platform = platform;
    this.lines = lines;
    this.kubectl = new Kubectl(platform.kubectl, platform.kubeconfig);
  }

  /** The gateway, without a slash at the end. */
  get endpoint(): string {
    return this.#platform.url;
  }

  /** Ends everything and removes the state. */
  async stop(): Promise<void> {
    await this.#platform.stop();
    rmSync(this.#platform.stateDir, { recursive: true, force: true });
  }

  /** Ends one part for good: SIGKILL, or SIGTERM and waiting. */
  async kill(part: PartName, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await this.#platform.part(part).stop(signal === 'SIGKILL' ? 0 : 30_000);
  }

  /** Starts a part that was ended, and waits until it serves. */
  async start(part: PartName): Promise<void> {
    this.#platform.part(part).start();
    await this.#platform.part(part).ready();
  }

  /** Sends a part a signal that it lives through. */
  signal(part: PartName, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#platform.part(part).kill(signal);
  }

  /** Applies a Function, waits until it is Ready and the gateway knows it; answers its name. */
  async applyReady(fn: object): Promise<string> {
    const name = (fn as { metadata: { name: string } }).metadata.name;
    await this.kubectl.apply(fn);
    await this.kubectl.ok(['wait', `fn/${name}`, '--for=condition=Ready', '--timeout=30s']);
    await eventually(`the gateway knows ${name}`, async () => (await this.#dryRun(name)) === 204);
    return name;
  }

  async deleteFunction(name: string): Promise<void> {
    await this.kubectl.ok(['delete', 'fn', name, '--wait=false']);
  }

  /** Pods that are labelled with a function of namespace default and have not ended. */
  async podsOf(name: string): Promise<readonly PodJson[]> {
    const labels = `kappa.dev/function=${name},kappa.dev/function-namespace=default`;
    const { items } = await this.kubectl.json<{ items: PodJson[] }>(['pods', '-n', 'kappa-functions', '-l', labels]);
    return items.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  }

  /** Whether the gateway holds no pod of a function and Kubernetes shows none. */
  async isAtZero(name: string): Promise<boolean> {
    return (await this.podsOf(name)).length === 0;
  }

  /** Whether a pool has as many ready generic pods as it wants. */
  async isPoolFull(pool: string): Promise<boolean> {
    const { spec, status } = await this.kubectl.json<{
      spec: { replicas: number };
      status?: { readyReplicas?: number };
    }>(['pool', pool, '-n', 'kappa-functions']);
    return (status?.readyReplicas ?? 0) >= spec.replicas;
  }

  /** The text of /metrics. */
  async metrics(part: 'gateway' | 'controller'): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#platform.ports[part]}/metrics`)).text();
  }

  /** Pods that run an invocation right now, first ones included, as the gateway's metrics say. */
  async busyPods(): Promise<number> {
    const values = [
      ...(await this.metrics('gateway')).matchAll(/^kappa_gateway_slots\{state="(?:busy|claiming)"\} (\d+)$/gm),
    ];
    if (values.length !== 2) throw new Error('no metric kappa_gateway_slots{state="busy"} or "claiming"');
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** Waits until nothing is in flight. */
  async quiet(): Promise<void> {
    await eventually('nothing is in flight', async () => (await this.busyPods()) === 0);
  }

  /** kill -9 of the agents of a function's pods, as the process node recorded them. */
  async killAgentsOf(name: string): Promise<void> {
    for (const { metadata } of await this.podsOf(name)) process.kill(this.#podPid(metadata.uid), 'SIGKILL');
  }

  /** Processes of the platform and of its pods. */
  async allPids(): Promise<readonly number[]> {
    const parts = (['api', 'node', 'controller', 'gateway'] as const).map((part) => this.#platform.part(part).pid);
    const pods = readdirSync(join(this.#platform.stateDir, 'node/pods')).map((uid) => this.#podPid(uid));
    return [...parts, ...pods].filter((pid) => pid !== null);
  }

  isAlive(pid: number): boolean {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  }

  /** Bytes of all pods' logs together. */
  async logBytes(): Promise<number> {
    const pods = join(this.#platform.stateDir, 'node/pods');
    return readdirSync(pods).reduce(
      (sum, uid) => sum + (statSync(join(pods, uid, 'log'), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  }

  /** Runs the `kappa` command against this platform. */
  async kappa(args: readonly string[]): Promise<string> {
    const environment = {
      ...process.env,
      KUBECONFIG: this.#platform.kubeconfig,
      KAPPA_KUBECTL: this.#platform.kubectl,
      KAPPA_ENDPOINT: this.endpoint,
    };
    const main = resolve(repository, 'cli/src/main.ts');
    return (await promisify(execFile)(process.execPath, [main, ...args], { env: environment })).stdout;
  }

  /** Stores bytes in the blob store over HTTP; answers their sha256. */
  async putBlob(bytes: Buffer): Promise<string> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const answer = await fetch(`${this.endpoint}/blobs/sha256/${sha256}`, {
      method: 'PUT',
      body: new Uint8Array(bytes),
    });
    if (!answer.ok) throw new Error(`blob refused: ${answer.status} ${await answer.text()}`);
    return sha256;
  }

  /** A GET by another Host header than the address says. */
  requestWithHost(host: string, path: string): Promise<{ readonly statusCode: number | undefined }> {
    const { hostname, port } = new URL(this.endpoint);
    return new Promise((done, fail) => {
      request({ hostname, port, path, headers: { host: `${host}:${port}` } }, (answer) => {
        answer.resume().on('end', () => done({ statusCode: answer.statusCode }));
      })
        .on('error', fail)
        .end();
    });
  }

  /** Writes bytes to the gateway's port and answers what comes back until the connection ends or half a second is silent. */
  raw(text: string): Promise<string> {
    const { hostname, port } = new URL(this.endpoint);
    return new Promise((done, fail) => {
      const socket = connect(Number(port), hostname, () => socket.write(text));
      let answer = '';
      socket.setTimeout(500, () => socket.destroy());
      socket.on('data', (chunk) => {
        answer += String(chunk);
      });
      socket.on('close', () => done(answer));
      socket.on('error', (error: NodeJS.ErrnoException) => error.code !== 'ECONNRESET' && fail(error));
    });
  }

  async #dryRun(name: string): Promise<number> {
    const path = `${this.endpoint}/2015-03-31/functions/${name}/invocations`;
    return (await fetch(path, { method: 'POST', headers: { 'x-amz-invocation-type': 'DryRun' }, body: '{}' })).status;
  }

  #podPid(uid: string): number {
    const record = JSON.parse(readFileSync(join(this.#platform.stateDir, 'node/pods', uid, 'pod.json'), 'utf8'));
    return record.process.pid;
  }
}

/** A zip with one entry whose name is written as it is, also one that no tool would write. */
export async function zipWithEntry(name: string, content: string): Promise<Buffer> {
  const zip = new ZipFile();
  const harmless = 'x'.repeat(Buffer.byteLength(name)); // yazl refuses such names: the bytes are replaced afterwards
  zip.addBuffer(Buffer.from(content), harmless, { compress: false });
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.from(Buffer.concat(chunks).toString('latin1').replaceAll(harmless, name), 'latin1');
}
