import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultDialBudget, dial, type PodConnection } from '@kappa/gateway/link';
import { repository } from '@kappa/local/platform';
import { ZipFile } from 'yazl';
import { until } from './bench-platform.ts';

const podIp = '127.19.7.5';

/** One real pod without a platform: agent and Node.js runtime, claimed and called over the link by the bench itself. */
export class DirectPod {
  readonly #child: ChildProcess;
  readonly #connection: PodConnection;
  readonly #folder: string;

  private constructor(child: ChildProcess, connection: PodConnection, folder: string) {
    this.#child = child;
    this.#connection = connection;
    this.#folder = folder;
  }

  static async start(): Promise<DirectPod> {
    const folder = mkdtempSync(join(tmpdir(), 'kappa-direct-'));
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const podUid = randomUUID();
    const child = startAgent(folder, podUid, publicKey);
    await until('the pod is ready', () =>
      fetch(`http://${podIp}:9101/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    const connection = await open(podUid, privateKey);
    await specialize(connection, await helloZip());
    return new DirectPod(child, connection, folder);
  }

  /** Calls one after the other; microseconds from the INVOKE to the RESPONSE, the REPORT awaited in between. */
  async latenciesUs(count: number): Promise<readonly number[]> {
    const latencies: number[] = [];
    for (let call = 0; call < count; call++) latencies.push(await this.#call());
    return latencies;
  }

  async stop(): Promise<void> {
    this.#connection.close();
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
    rmSync(this.#folder, { recursive: true });
  }

  #call(): Promise<number> {
    const head = JSON.stringify({
      requestId: randomUUID(),
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    });
    const startMs = performance.now();
    let latencyUs = 0;
    return new Promise((resolve, reject) => {
      this.#connection.invoke(head, Buffer.from(`{"pad":"${'x'.repeat(502)}"}`), {
        onResponse: () => {
          latencyUs = (performance.now() - startMs) * 1000;
        },
        onReport: () => resolve(latencyUs),
        onRefused: reject,
        onLost: reject,
      });
    });
  }
}

function startAgent(folder: string, podUid: string, publicKey: KeyObject): ChildProcess {
  for (const name of ['task', 'opt', 'tmp']) mkdirSync(join(folder, name));
  const agent = join(repository, 'runtime-images/agent/bin/agent');
  const bootstrap = join(repository, 'runtime-images/nodejs/bootstrap.mjs');
  return spawn(agent, ['--', process.execPath, bootstrap], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      KAPPA_POD_UID: podUid,
      KAPPA_POD_NAME: 'direct',
      KAPPA_POD_IP: podIp,
      KAPPA_RUNTIME: 'nodejs24.x',
      KAPPA_REGION: 'us-east-1',
      KAPPA_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      KAPPA_GATEWAY_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      KAPPA_TASK_DIR: join(folder, 'task'),
      KAPPA_OPT_DIR: join(folder, 'opt'),
      KAPPA_TMP_DIR: join(folder, 'tmp'),
      KAPPA_RUNTIME_API: `${podIp}:9001`,
    },
  });
}

function open(podUid: string, signingKey: KeyObject): Promise<PodConnection> {
  const identity = { gatewayId: 'bench', epoch: 1, signingKey };
  const clock = {
    nowMs: () => performance.now(),
    after: (delayMs: number, call: () => void) => {
      const timer = setTimeout(call, delayMs);
      return () => clearTimeout(timer);
    },
  };
  return new Promise((resolve, reject) => {
    const owner = { opened: resolve, failed: reject, closed: () => undefined, stateChanged: () => undefined };
    dial({ host: podIp, port: 9100, podUid }, identity, clock, owner, defaultDialBudget);
  });
}

function specialize(connection: PodConnection, code: Buffer): Promise<void> {
  const head = JSON.stringify({
    versionUid: 'direct',
    functionName: 'hello',
    functionNamespace: 'default',
    version: '$LATEST',
    handler: 'index.handler',
    runtime: 'nodejs24.x',
    memoryMiB: 512,
    timeoutMs: 10_000,
    initTimeoutMs: 10_000,
    perInstance: 1,
    environment: {},
    accountId: '000000000000',
    region: 'us-east-1',
    logFormat: 'Text',
    codeSha256: createHash('sha256').update(code).digest('hex'),
    codeBytes: code.length,
    maxUnpackedBytes: 262_144_000,
    epoch: 1,
  });
  return new Promise((resolve, reject) => {
    connection.claim(head, code, { onSpecialized: () => resolve(), onRefused: reject, onLost: reject });
  });
}

async function helloZip(): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(
    Buffer.from(`export const handler = async (event) => ({ hello: event.name ?? 'hello' });\n`),
    'index.mjs',
  );
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
