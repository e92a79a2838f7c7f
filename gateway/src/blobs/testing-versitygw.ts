import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Version of the server, of tests and of the image that tests build. */
export const testS3Version = 'v1.8.0';
/** Its Go module (Apache-2.0). */
export const testS3Module = `github.com/versity/versitygw/cmd/versitygw@${testS3Version}`;
/** A build may take so long, milliseconds. */
const BUILD_LIMIT_MS = 600_000;

/** Keys of the test server. */
export const testCredentials = { accessKeyId: 'kappa-test', secretAccessKey: 'kappa-test-secret' };

/** A running S3 server with a directory of its own. */
export interface TestS3 {
  readonly endpoint: string;
  /** Overwrites an object behind the server's back. */
  readonly damage: (bucket: string, key: string, text: string) => Promise<void>;
  /** Takes every bucket away. */
  readonly empty: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Again on the same port, with the same directory. */
  readonly start: () => Promise<void>;
  /** Stops it and removes its directory. */
  readonly close: () => Promise<void>;
}

/**
 * Starts the server that the chart ships, as a process of its own; builds it from its Go module when the machine has none yet (a minute).
 *
 * @param more flags, e.g. where it sends notifications
 */
export async function startTestS3(...more: readonly string[]): Promise<TestS3> {
  const program = await provideTestS3();
  const directory = await mkdtemp(join(tmpdir(), 'kappa-s3-'));
  const [objects, metadata] = [join(directory, 'objects'), join(directory, 'metadata')];
  await mkdir(objects);
  await mkdir(metadata);
  const empty = async (): Promise<void> => {
    for (const path of [objects, metadata]) {
      for (const name of await readdir(path)) await rm(join(path, name), { recursive: true });
    }
  };
  let port = 0;
  const env = { ROOT_ACCESS_KEY: testCredentials.accessKeyId, ROOT_SECRET_KEY: testCredentials.secretAccessKey };
  const flags = ['--quiet', '--keep-alive', ...more, 'posix', '--sidecar', metadata, objects];
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    child = spawn(program, ['--port', `127.0.0.1:${port}`, ...flags], { env, stdio: 'ignore' });
    await untilListening(port, child);
  };
  const stop = async (): Promise<void> => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill('SIGKILL');
    await ended;
  };
  for (let triesLeft = 3; child === null; triesLeft -= 1) {
    port = await freePort();
    await start().catch(async (error: unknown) => {
      await stop();
      if (triesLeft > 1) return;
      await rm(directory, { recursive: true, force: true });
      throw error;
    });
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    damage: (bucket, key, text) => writeFile(join(objects, bucket, key), text),
    empty,
    start,
    stop,
    close: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Builds the server, once; path of the program, in the cache that the cluster harness uses too. */
export async function provideTestS3(): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const tools = join(cache, 'kappa-cluster', 'tools');
  const program = join(tools, 'versitygw');
  await mkdir(tools, { recursive: true });
  const build = `go version -m "$1" 2>/dev/null | grep -q "${testS3Version}" || go install -trimpath -ldflags="-s -w" ${testS3Module}`;
  // Two suites must not build at the same time; GOFLAGS of this repository's own module do not apply.
  await run('flock', [join(tools, 'versitygw.lock'), 'sh', '-c', build, 'sh', program], {
    env: { ...process.env, GOBIN: tools, GOFLAGS: '-mod=mod', GOWORK: 'off' },
    cwd: tools,
    timeout: BUILD_LIMIT_MS,
  });
  return program;
}

/** One that was free a moment ago: another process may take it before the server does. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilListening(port: number, server: ChildProcess): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!(await isListening(port, server.pid ?? 0))) {
    if (server.exitCode !== null) throw new Error(`versitygw ended with ${server.exitCode}`);
    if (performance.now() > endMs) throw new Error('versitygw does not listen');
    await pause(20);
  }
}

/** Whether that process itself listens there: whoever answers may be the server of another test. @see proc_pid_net(5), tcp */
async function isListening(port: number, pid: number): Promise<boolean> {
  const place = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
  const inode = sockets.find(([, local, , state]) => local === place && state === '0A')?.[9];
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  return inode !== undefined && targets.includes(`socket:[${inode}]`);
}
