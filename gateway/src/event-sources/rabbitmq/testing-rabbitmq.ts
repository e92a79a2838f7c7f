import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from 'rabbitmq-client';

import { freePort, TestServer } from '../testing-servers.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../../..');
const FETCH_LIMIT_MS = 600_000;
/** Debian's, with what it needs of Erlang. */
const packages = [
  'rabbitmq-server',
  ...[
    'base',
    'asn1',
    'crypto',
    'eldap',
    'ftp',
    'inets',
    'mnesia',
    'os-mon',
    'parsetools',
    'public-key',
    'runtime-tools',
  ]
    .concat(['snmp', 'ssl', 'syntax-tools', 'tftp', 'tools', 'xmerl'])
    .map((name) => `erlang-${name}`),
];

/** A user that may do everything in both of the virtual hosts `/` and `shop`. */
export const rabbitUser = { username: 'billing', password: 'pässword' } as const;

/**
 * A folder with Debian's packages unpacked: nothing is installed, so nothing is started by the system. Fetched once, by `make test-tools`; a
 * test that is run by hand fetches them itself.
 */
export async function provideRabbit(): Promise<string> {
  const folder = join(root, '.cache/rabbitmq');
  if (existsSync(folder)) return folder;
  await mkdir(join(root, '.cache'), { recursive: true });
  const script = `set -e
    test ! -e "$1" || exit 0
    rm -rf "$1.new" && mkdir "$1.new" && cd "$1.new"
    apt-get update -q && shift && apt-get download -q "$@"
    for package in *.deb; do dpkg -x "$package" . && rm "$package"; done
    sed -i "s#^\\( *\\)ROOTDIR=/usr/lib/erlang#\\1ROOTDIR=\${PWD%.new}/usr/lib/erlang#" usr/lib/erlang/bin/erl
    mv "$PWD" "\${PWD%.new}"`;
  // Several test files may come here at once.
  const args = [`${folder}.lock`, 'bash', '-c', script, 'bash', folder, ...packages];
  await run('flock', args, { timeout: FETCH_LIMIT_MS });
  return folder;
}

/** RabbitMQ as real processes, with a folder of its own that it keeps its messages in. */
export class TestRabbit {
  readonly server: TestServer;
  readonly #end: () => Promise<void>;

  private constructor(server: TestServer, end: () => Promise<void>) {
    this.server = server;
    this.#end = end;
  }

  static async start(): Promise<TestRabbit> {
    const home = await provideRabbit();
    const folder = await mkdtemp(join(tmpdir(), 'kappa-rabbitmq-'));
    const [epmdPort, distPort] = [String(await freePort()), String(await freePort())];
    const erlang = join(home, 'usr/lib/erlang/bin');
    // Erlang would leave one behind that nobody ends.
    const epmd = spawn(join(erlang, 'epmd'), ['-port', epmdPort, '-address', '127.0.0.1'], { stdio: 'ignore' });
    const end = async (): Promise<void> => {
      const gone = epmd.exitCode === null && epmd.signalCode === null ? once(epmd, 'exit') : null;
      epmd.kill('SIGKILL');
      await gone;
      await rm(folder, { recursive: true, force: true });
    };
    try {
      await writeFile(join(folder, 'definitions.json'), JSON.stringify(definitions));
      const server = await TestServer.start({
        command: 'sh',
        args: (port) => ['-c', startScript, 'sh', String(port), folder, home],
        env: {
          PATH: `${erlang}:/usr/bin:/bin`,
          HOME: folder, // of the cookie
          LANG: 'C.UTF-8',
          ERL_EPMD_PORT: epmdPort,
          ERL_EPMD_ADDRESS: '127.0.0.1',
          RABBITMQ_DIST_PORT: distPort,
          RABBITMQ_NODENAME: `kappa-${distPort}@localhost`,
          RABBITMQ_MNESIA_BASE: join(folder, 'messages'),
          RABBITMQ_LOG_BASE: folder,
          RABBITMQ_LOGS: '-',
          RABBITMQ_CONF_ENV_FILE: '/dev/null',
          RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'none.config'),
          RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
          RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
          RABBITMQ_ALLOW_INPUT: '1', // the script becomes the server, so that its process id is the server's
          RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none',
        },
      });
      return new TestRabbit(server, end);
    } catch (error) {
      await end();
      throw error;
    }
  }

  get address(): string {
    return `amqp://127.0.0.1:${this.server.port}`;
  }

  /** Makes a queue in the virtual host `shop` and puts messages with these bodies into it; answers when the server has them. */
  async send(queue: string, bodies: readonly string[]): Promise<void> {
    const client = new Connection({ hosts: [this.address.slice('amqp://'.length)], ...rabbitUser, vhost: 'shop' });
    client.on('error', () => undefined); // who sends is told
    try {
      await client.queueDeclare({ queue, durable: true });
      const publisher = client.createPublisher({ confirm: true });
      for (const body of bodies) await publisher.send({ routingKey: queue, durable: true }, Buffer.from(body));
      await publisher.close();
    } finally {
      client.unsafeDestroy();
    }
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.#end();
  }
}

const startScript = `
printf '%s\\n' "listeners.tcp.1 = 127.0.0.1:$1" "load_definitions = $2/definitions.json" 'log.console = true' >"$2/rabbitmq.conf"
exec sh "$3"/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server`;

const definitions = {
  vhosts: [{ name: '/' }, { name: 'shop' }],
  users: [
    { name: rabbitUser.username, password: rabbitUser.password, tags: '' },
    { name: 'nobody', password: 'nothing', tags: '' },
  ],
  permissions: ['/', 'shop'].map((vhost) => ({
    ...{ user: rabbitUser.username, vhost },
    ...{ configure: '.*', write: '.*', read: '.*' },
  })),
};
