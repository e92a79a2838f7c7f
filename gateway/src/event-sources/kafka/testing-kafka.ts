import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Admin, Producer, type ProducerOptions } from '@platformatic/kafka';

import { freePort, provideJars, TestServer } from '../testing-servers.ts';

const run = promisify(execFile);
/** A JVM on a busy machine, milliseconds. */
const LIMIT_MS = 120_000;
const STORE_PASSWORD = 'kappa-test';
/** Starts fast, stays small. */
const JVM = [
  '-Xmx384m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
];

/** One who may do all on the secured listener, and one who may do nothing. By SCRAM of both lengths, and PLAIN. */
export const testUsers = {
  member: { username: 'member', password: 'member-secret' },
  stranger: { username: 'stranger', password: 'stranger-secret' },
} as const;

/** Kafka 4.1 as one real process with a folder of its own, broker and controller in one. It keeps ports and data over `restart`. */
export class TestKafka {
  readonly #server: TestServer;
  readonly #folder: string;
  readonly #classes: string;
  /** host:port with TLS and SASL. */
  readonly securedAddress: string;
  /** By which the secured listener is known, PEM. */
  readonly caCertificate: string;

  private constructor(server: TestServer, made: Made) {
    this.#server = server;
    this.#folder = made.folder;
    this.#classes = made.classes;
    this.securedAddress = `127.0.0.1:${made.securedPort}`;
    this.caCertificate = made.caCertificate;
  }

  /** @throws Error with what it wrote when it does not serve */
  static async start(): Promise<TestKafka> {
    const made = await prepare(await provideJars('kafka'));
    try {
      const server = await TestServer.start({
        command: 'java',
        args: (port) => [...JVM, '-cp', made.classes, 'kafka.Kafka', made.settings, ...listenersOf(port, made)],
      });
      const kafka = new TestKafka(server, made);
      await kafka.#untilServing();
      return kafka;
    } catch (error) {
      await rm(made.folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** host:port without a password. */
  get address(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#server.signal(name);
  }

  /** kill -9. */
  async stop(): Promise<void> {
    await this.#server.stop();
  }

  /** Starts it on the data that it left. */
  async restart(): Promise<void> {
    await this.#server.restart();
    await this.#untilServing();
  }

  /** Ends it and removes what it has. */
  async close(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The client's administrator, for what tests do behind the source's back. Who asks closes it. */
  admin(): Admin {
    return new Admin({ clientId: 'kappa-test', bootstrapBrokers: [this.address], retries: 20, retryDelay: 250 });
  }

  /** The client's producer. Who asks closes it. */
  producer(
    over: Pick<ProducerOptions<Buffer, Buffer, Buffer, Buffer>, 'transactionalId' | 'idempotent'> = {},
  ): Producer {
    const retries = { retries: 20, retryDelay: 250 };
    return new Producer({ clientId: 'kappa-test', bootstrapBrokers: [this.address], ...retries, ...over });
  }

  /** What Kafka's own tool shows of a group: a row for each partition, the topic, partition, offset, end and lag of it. */
  async describeGroup(group: string): Promise<readonly (readonly string[])[]> {
    const tool = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
    const asked = ['--bootstrap-server', this.address, '--describe', '--group', group];
    const { stdout } = await run('java', [...JVM, '-cp', this.#classes, tool, ...asked], { timeout: LIMIT_MS });
    const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
    return rows.filter(([name]) => name === group).map(([, ...columns]) => columns.slice(0, 5));
  }

  async #untilServing(): Promise<void> {
    const endMs = performance.now() + LIMIT_MS;
    while (!(await this.#serves())) {
      if (performance.now() > endMs) throw new Error(`Kafka does not serve: ${this.#server.lines.join('\n')}`);
      await pause(100);
    }
  }

  async #serves(): Promise<boolean> {
    const admin = new Admin({ clientId: 'kappa-test', bootstrapBrokers: [this.address], retries: 0 });
    try {
      return (await admin.metadata({ topics: [] })).brokers.size > 0;
    } catch {
      return false;
    } finally {
      await admin.close();
    }
  }
}

/** What is there before the broker is started. */
interface Made {
  readonly folder: string;
  readonly classes: string;
  readonly settings: string;
  readonly securedPort: number;
  readonly controllerPort: number;
  readonly caCertificate: string;
}

async function prepare(jars: string): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), 'kappa-kafka-'));
  try {
    const settings = join(folder, 'server.properties');
    const classes = join(jars, '*');
    const [securedPort, controllerPort] = [await freePort(), await freePort()];
    const made = { folder, classes, settings, securedPort, controllerPort };
    await writeFile(settings, settingsOf(made));
    const users = Object.values(testUsers).flatMap(({ username, password }) =>
      ['SCRAM-SHA-512', 'SCRAM-SHA-256'].flatMap((kind) => [
        '--add-scram',
        `${kind}=[name=${username},password=${password}]`,
      ]),
    );
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'a2FwcGEta2Fma2EtdGVzdA', '-c', settings, ...users];
    await run('java', [...JVM, '-cp', classes, ...format], { timeout: LIMIT_MS });
    return { ...made, caCertificate: await makeCertificate(folder) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Answers the certificate, PEM. */
async function makeCertificate(folder: string): Promise<string> {
  const store = ['-keystore', join(folder, 'store.p12'), '-storepass', STORE_PASSWORD, '-alias', 'kafka'];
  const names = ['-dname', 'CN=kappa-test-kafka', '-ext', 'san=ip:127.0.0.1', '-ext', 'bc:c'];
  await run('keytool', ['-genkeypair', '-keyalg', 'EC', '-validity', '2', ...names, ...store], { timeout: LIMIT_MS });
  return (await run('keytool', ['-exportcert', '-rfc', ...store], { timeout: LIMIT_MS })).stdout;
}

const at = (listener: string, port: number): string => `${listener}://127.0.0.1:${port}`;

function listenersOf(port: number, { securedPort, controllerPort }: Made): readonly string[] {
  const open = `${at('OPEN', port)},${at('SECURED', securedPort)}`;
  const all = `${open},${at('CONTROLLER', controllerPort)}`;
  return ['--override', `listeners=${all}`, '--override', `advertised.listeners=${open}`];
}

function settingsOf({ folder, securedPort, controllerPort }: Omit<Made, 'caCertificate'>): string {
  const login = 'org.apache.kafka.common.security';
  const users = Object.values(testUsers).map(({ username, password }) => `user_${username}="${password}"`);
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listeners=${at('OPEN', 9092)},${at('SECURED', securedPort)},${at('CONTROLLER', controllerPort)}
listener.security.protocol.map=OPEN:PLAINTEXT,SECURED:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=OPEN
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN
listener.name.secured.scram-sha-512.sasl.jaas.config=${login}.scram.ScramLoginModule required;
listener.name.secured.scram-sha-256.sasl.jaas.config=${login}.scram.ScramLoginModule required;
listener.name.secured.plain.sasl.jaas.config=${login}.plain.PlainLoginModule required ${users.join(' ')};
listener.name.secured.ssl.keystore.location=${join(folder, 'store.p12')}
listener.name.secured.ssl.keystore.password=${STORE_PASSWORD}
listener.name.secured.ssl.keystore.type=PKCS12
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:${testUsers.member.username}
log.dirs=${join(folder, 'data')}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
message.max.bytes=4194304
num.network.threads=2
num.io.threads=2
background.threads=2
`;
}
