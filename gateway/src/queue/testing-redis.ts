import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Deadline for tests that are not about deadlines: the machine may be busy. */
export const patientMs = 20_000;

/** Redis as one real process with a folder of its own, on a Unix socket there: no port can be taken. It survives its process. */
export class TestRedis {
  readonly #settings: readonly string[];
  readonly #folder: string;
  #child: ChildProcess | null = null;

  private constructor(folder: string, settings: readonly string[]) {
    this.#folder = folder;
    this.#settings = settings;
  }

  /**
   * Starts one that keeps what it acknowledges.
   *
   * @param settings more of redis.conf's, or others than these, for example `--appendfsync everysec`
   * @throws Error with what it said when it does not serve
   */
  static async start(...settings: readonly string[]): Promise<TestRedis> {
    const redis = new TestRedis(await mkdtemp(join(tmpdir(), 'kappa-redis-')), settings);
    try {
      await redis.restart();
    } catch (error) {
      await redis.stop();
      throw error;
    }
    return redis;
  }

  /** For `KAPPA_REDIS_URL`: ioredis takes a path too. */
  get url(): string {
    return join(this.#folder, 'socket');
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('Redis does not run');
    return this.#child.pid;
  }

  /** Starts it on the data that it left. */
  async restart(): Promise<void> {
    const safe = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction'];
    const [command, argv0] = provideRedis();
    const args = ['--port', '0', '--unixsocket', this.url, '--dir', this.#folder, ...safe, ...this.#settings];
    const child = spawn(command, args, { argv0, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    let said = '';
    child.stdout.on('data', (chunk) => {
      if (said.length < 10_000) said += String(chunk);
    });
    const ended = once(child, 'exit').then(() => {
      throw new Error(`Redis ended: ${said}`);
    });
    ended.catch(() => {});
    const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
    try {
      await Promise.race([ended, this.#serves()]);
    } finally {
      clearTimeout(late);
    }
  }

  /** A command by the plain protocol, for what tests do behind the queue's back. */
  async command(...words: readonly string[]): Promise<string> {
    const socket = connect(this.url);
    try {
      await once(socket, 'connect');
      socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`);
      const [answer] = await once(socket, 'data');
      return String(answer);
    } finally {
      socket.destroy();
    }
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name);
  }

  /** As a power cut would end it, but for what the operating system holds. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Ends it; what it had is gone. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Loaded and listening: the socket of the process before may be there still. */
  async #serves(): Promise<void> {
    const hasAnswered = await this.command('PING').then(
      (answer) => /^(\+PONG|-NOAUTH)/.test(answer),
      () => false,
    );
    if (hasAnswered) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
    await this.#serves();
  }
}

/**
 * Command and name of a Redis or Valkey server. Debian's `redis-tools` has the server under another name, without the service that
 * `redis-server` would start.
 */
function provideRedis(): readonly [command: string, argv0: string] {
  const found = installedRedis();
  if (found !== null) return found;
  if (process.getuid?.() !== 0)
    throw new Error('install Redis 7 or Valkey (Debian: redis-tools), or run this as root on Debian');
  // Several test files may come here at once.
  const install = 'apt-get update -q && apt-get install -q -y --no-install-recommends redis-tools';
  execFileSync(
    'flock',
    [join(tmpdir(), 'kappa-redis.lock'), 'sh', '-c', `test -e /usr/bin/redis-check-rdb || { ${install}; }`],
    {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const installed = installedRedis();
  if (installed === null) throw new Error('redis-tools has no redis-check-rdb');
  return installed;
}

function installedRedis(): readonly [command: string, argv0: string] | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin'];
  for (const name of ['redis-server', 'valkey-server', 'redis-check-rdb', 'valkey-check-rdb']) {
    const command = folders.map((folder) => join(folder, name)).find(existsSync);
    if (command !== undefined) return [command, name.replace('check-rdb', 'server')];
  }
  return null;
}
