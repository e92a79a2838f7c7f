import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import yazl from 'yazl';
import type { PoolPod } from './types.ts';

const images = fileURLToPath(new URL('../../../runtime-images', import.meta.url));
const agentBinary = join(images, 'agent/bin/agent');
const region = 'us-east-1';

/** The key pair of one test's install. */
export interface TestKeys {
  readonly privateKey: KeyObject;
  /** What KAPPA_GATEWAY_PUBLIC_KEY holds. */
  readonly publicKey: string;
}

export function makeKeys(): TestKeys {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') };
}

/** A zip of text files, and what a Target says about it. */
export async function makeCode(
  files: Readonly<Record<string, string>>,
): Promise<{ zip: Buffer; codeSha256: string; codeBytes: number }> {
  const archive = new yazl.ZipFile();
  for (const [path, content] of Object.entries(files)) archive.addBuffer(Buffer.from(content), path);
  archive.end();
  const pieces = await Array.fromAsync(archive.outputStream, (piece) => Buffer.from(piece));
  const zip = Buffer.concat(pieces);
  return { zip, codeSha256: createHash('sha256').update(zip).digest('hex'), codeBytes: zip.length };
}

/** A real agent with the Node.js bootstrap, as the process node would run it. */
export interface TestAgent {
  readonly pod: PoolPod;
  readonly key: string;
  readonly child: ChildProcess;
  /** Everything that it has written. */
  output(): string;
  /** Ends it and removes its folders. */
  stop(): Promise<void>;
}

/** Starts a generic pod and waits until it is Ready. In a pool `image-…` its image stands for a user's: no language runs before the claim. */
export async function startAgent(keys: TestKeys, overrides: Partial<PoolPod> = {}): Promise<TestAgent> {
  await buildAgent();
  const ip = await freeAddress();
  const uid = randomUUID();
  const root = await mkdtemp(join(tmpdir(), 'kappa-pod-'));
  for (const name of ['task', 'opt', 'tmp']) await mkdir(join(root, name));
  const isImage = overrides.pool?.startsWith('image-') === true;
  const env = {
    PATH: process.env['PATH'],
    KAPPA_POD_UID: uid,
    KAPPA_POD_NAME: `pod-${uid.slice(0, 8)}`,
    KAPPA_POD_IP: ip,
    KAPPA_RUNTIME: isImage ? 'image' : 'nodejs24.x',
    KAPPA_REGION: region,
    KAPPA_GATEWAY_PUBLIC_KEY: keys.publicKey,
    KAPPA_TASK_DIR: join(root, 'task'),
    KAPPA_OPT_DIR: join(root, 'opt'),
    KAPPA_TMP_DIR: join(root, 'tmp'),
    KAPPA_RUNTIME_API: `${ip}:9001`,
  };
  const command = isImage ? [] : ['--', process.execPath, join(images, 'nodejs/bootstrap.mjs')];
  const child = spawn(agentBinary, command, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => written.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => written.push(bytes));
  const output = () => Buffer.concat(written).toString('utf8');
  await until(
    () => isReady(ip),
    () => `agent is not ready: ${output()}`,
  );
  const pod: PoolPod = {
    name: `pod-${uid.slice(0, 8)}`,
    uid,
    ip,
    zone: 'a',
    pool: 'nodejs24.x',
    ready: true,
    terminating: false,
    state: 'generic',
    versionUid: null,
    ...overrides,
  };
  return {
    pod,
    key: `kappa-functions/${pod.name}`,
    child,
    output,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Polls until `holds`, for at most 10 s. */
export async function until(holds: () => boolean | Promise<boolean>, otherwise: () => string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function buildAgent(): Promise<void> {
  if (existsSync(agentBinary)) return;
  await promisify(execFile)('go', ['build', '-trimpath', '-o', agentBinary, '.'], {
    cwd: join(images, 'agent'),
    env: { ...process.env, CGO_ENABLED: '0' },
  });
}

async function isReady(ip: string): Promise<boolean> {
  try {
    return (await fetch(`http://${ip}:9101/readyz`)).ok;
  } catch {
    return false;
  }
}

/** A loopback address of its own, on which the pod's fixed ports are free. */
async function freeAddress(): Promise<string> {
  for (;;) {
    const ip = `127.${randomInt(64, 120)}.${randomInt(1, 250)}.${randomInt(2, 250)}`;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(9100, ip, () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return ip;
  }
}
