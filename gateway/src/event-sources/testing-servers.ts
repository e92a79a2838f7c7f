import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
/** Maven may take so long, milliseconds. */
const FETCH_LIMIT_MS = 600_000;
/** What a JVM on a busy machine may take until it listens. */
const START_LIMIT_MS = 120_000;
const KEPT_LINES = 200;

/**
 * A folder with the jars of `gateway/test-servers/NAME/pom.xml`, all of them and only those that `lib.sha256` beside it pins. Fetched once, by
 * `make test-tools`; a test that is run by hand fetches them itself.
 *
 * @throws Error when one cannot be had, or is not the pinned one
 */
export async function provideJars(name: string): Promise<string> {
  const source = join(root, 'gateway/test-servers', name);
  const [pom, sums] = [join(source, 'pom.xml'), join(source, 'lib.sha256')];
  const digest = createHash('sha256').update(readFileSync(pom)).update(readFileSync(sums)).digest('hex').slice(0, 12);
  const folder = join(root, '.cache', `${name}-${digest}`);
  if (existsSync(folder)) return folder;
  await mkdir(join(root, '.cache'), { recursive: true });
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
  const script = `set -e
    test ! -e "$1" || exit 0
    rm -rf "$1.new"
    mvn -q -B -f "$2" ${plugin} -DincludeScope=runtime -DoutputDirectory="$1.new"
    cd "$1.new" && sha256sum -c --quiet "$3" && test "$(ls | wc -l)" = "$(wc -l <"$3")"
    mv "$1.new" "$1"`;
  // Several test files may come here at once.
  await run('flock', [`${folder}.lock`, 'bash', '-c', script, 'bash', folder, pom, sums], { timeout: FETCH_LIMIT_MS });
  return folder;
}

/** What a server is started with. */
export interface ServerStart {
  readonly command: string;
  /** @param port one that was free a moment ago */
  readonly args: (port: number) => readonly string[];
  /** All of it. Default: PATH alone. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that tests talk to, on a port of loopback; ended by its own process id. */
export class TestServer {
  readonly port: number;
  /** What it wrote last. */
  readonly lines: string[] = [];
  readonly #start: ServerStart;
  #child: ChildProcess | null = null;

  private constructor(start: ServerStart, port: number) {
    this.#start = start;
    this.port = port;
  }

  /** Starts one and waits until it listens itself. @throws Error with what it wrote when it does not */
  static async start(start: ServerStart): Promise<TestServer> {
    for (let triesLeft = 3; ; triesLeft -= 1) {
      const server = new TestServer(start, await freePort());
      try {
        await server.restart();
        return server;
      } catch (error) {
        await server.stop();
        if (triesLeft === 1) throw error;
      }
    }
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the server does not run');
    return this.#child.pid;
  }

  /** Starts it again, on the same port, after `stop`. */
  async restart(): Promise<void> {
    const { command, args, env = { PATH: process.env['PATH'] ?? '' } } = this.#start;
    const child = spawn(command, args(this.port), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const output of [child.stdout, child.stderr]) output.on('data', (chunk) => this.#keep(String(chunk)));
    const endMs = performance.now() + START_LIMIT_MS;
    while (!(await isListening(this.port, this.pid))) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (hasEnded || performance.now() > endMs)
        throw new Error(`${command} ${hasEnded ? 'ended' : 'does not listen'}: ${this.lines.join('\n')}`);
      await pause(50);
    }
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name);
  }

  /** kill -9; what it kept in memory is gone. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  #keep(text: string): void {
    this.lines.push(...text.split('\n').filter((line) => line !== ''));
    this.lines.splice(0, this.lines.length - KEPT_LINES);
  }
}

/** One that was free a moment ago: another process may take it before the server does. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Whether that process itself listens there: whoever answers may be the server of another test. @see proc_pid_net(5), tcp and tcp6 */
async function isListening(port: number, pid: number): Promise<boolean> {
  const place = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const sockets = tables.flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)));
  const inodes = sockets.flatMap(([, local, , state, , , , , , inode]) =>
    local?.endsWith(place) === true && state === '0A' && inode !== undefined ? [`socket:[${inode}]`] : [],
  );
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  return inodes.some((inode) => targets.includes(inode));
}
