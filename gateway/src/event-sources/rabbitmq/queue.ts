import { setImmediate as drained, setTimeout as pause } from 'node:timers/promises';
import { type AsyncMessage, type Channel, Connection, type ConnectionOptions } from 'rabbitmq-client';

import { type AddressGuard, checkAddresses, guardedLookup } from '../address-guard.ts';
import type { QueueMessage, SourceRecord } from '../record.ts';
import type { OpenDeps, OpenQueue, QueueAction, ReceiveWish } from '../source.ts';
import { type ProblemReason, SourceProblem } from '../source-problem.ts';
import { messageOf, noEncoding } from './record.ts';
import type { RabbitPlace } from './source.ts';

/** Messages of one receive, so that large ones fill no memory. */
const MAX_AT_ONCE = 100;
/** A message that failed comes back after so long at least: RabbitMQ itself would give it back at once, over and over. */
const REST_MS = 1_000;

/** A message that is not settled. */
interface Delivery {
  readonly channel: Channel;
  readonly deliveryTag: number;
}

/**
 * A queue of RabbitMQ. Each receive is a consumer of its own that takes as many as are wanted and goes: so nothing is taken that nobody waits
 * for. RabbitMQ gives what is not settled to others when the connection ends.
 */
export class RabbitQueue implements OpenQueue {
  readonly kind = 'queue';
  readonly holdMs = null;
  readonly #place: RabbitPlace;
  readonly #now: () => number;
  readonly #connection: Connection;
  /** By handle. */
  readonly #unsettled = new Map<string, Delivery>();
  readonly #closing = new AbortController();
  #channel: Promise<Channel> | null = null;
  #deliveries = 0;
  /** Of the guard, when the client last wanted to connect; the client keeps it to itself. */
  #refusal: unknown = null;

  private constructor(
    { tls, vhost, username, password, ...place }: RabbitPlace,
    { now, guard }: Pick<OpenDeps, 'now' | 'guard'>,
  ) {
    this.#place = { tls, vhost, username, password, ...place };
    this.#now = now;
    const login = { hosts: [...place.hosts], tls, vhost, username, password, connectionName: 'kappa' };
    const limits = { heartbeat: 10, retryHigh: 5_000, acquireTimeout: 10_000 };
    const lookup = guardedLookup((host) => this.#ask(guard, host));
    const options: ConnectionOptions = { ...login, ...limits };
    Reflect.set(options, 'socket', { lookup }); // its type wants a port, which would be all hosts'
    this.#connection = new Connection(options);
    this.#connection.on('error', () => undefined); // it connects again by itself
  }

  /** @throws SourceProblem */
  static async open(place: RabbitPlace, deps: Pick<OpenDeps, 'now' | 'signal' | 'guard'>): Promise<RabbitQueue> {
    const { signal, guard } = deps;
    await checkAddresses(
      guard,
      place.hosts.map((host) => host.replace(/:\d+$/, '')),
    );
    const queue = new RabbitQueue(place, deps);
    const { promise: broken, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    queue.#connection.once('error', reject);
    try {
      await Promise.race([queue.#open(), broken]);
      return queue;
    } catch (error) {
      await queue.close();
      throw queue.#explain(error);
    }
  }

  async receive({ max, waitMs, signal }: ReceiveWish): Promise<readonly QueueMessage[]> {
    const got: AsyncMessage[] = [];
    const { promise: first, resolve: stop } = Promise.withResolvers<void>();
    const timer = new AbortController();
    try {
      const channel = await this.#open();
      channel.once('close', stop).once('basic.cancel', stop);
      // The two calls stand next to each other, whoever else receives.
      const limited = channel.basicQos({ prefetchCount: Math.min(max, MAX_AT_ONCE) });
      const consuming = channel.basicConsume({ queue: this.#place.queue }, (message) => stop(void got.push(message)));
      const [, consumer] = await Promise.all([limited, consuming]);
      await Promise.race([first, pause(waitMs, null, { signal: AbortSignal.any([signal, timer.signal]) }).catch(stop)]);
      channel.off('close', stop).off('basic.cancel', stop);
      await channel.basicCancel(consumer);
      await drained(); // what came before the end of the consumer is told by now
      return got.map((message) => this.#keep(message, channel));
    } catch (error) {
      throw this.#explain(error);
    } finally {
      timer.abort();
    }
  }

  async settle(messages: readonly QueueMessage[], action: QueueAction): Promise<readonly QueueMessage[]> {
    const known = messages.map(({ handle }) => handle).filter((handle) => this.#unsettled.has(handle));
    if (action === 'leave') void this.#giveBackLater(known);
    if (action === 'leave' || action === 'hold') return [];
    const isDone = await this.#end(known, action);
    if (action === 'release') return []; // they come back in any case
    return messages.filter(({ handle }) => !isDone || !known.includes(handle));
  }

  eventOf(records: readonly SourceRecord[]): string {
    const { arn, queue, vhost } = this.#place;
    const [source, name] = [JSON.stringify(arn), JSON.stringify(`${queue}::${vhost}`)];
    const list = records.map(({ text }) => text).join(',');
    return `{"eventSource":"aws:rmq","eventSourceArn":${source},"rmqMessagesByQueue":{${name}:[${list}]}}`;
  }

  /** At once, whether the server answers or not. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#connection.unsafeDestroy();
  }

  async #ask(guard: AddressGuard, host: string): ReturnType<AddressGuard> {
    try {
      const found = await guard(host);
      this.#refusal = null;
      return found;
    } catch (error) {
      this.#refusal = error;
      throw error;
    }
  }

  /** The channel; a new one when the last has ended. */
  #open(): Promise<Channel> {
    this.#channel ??= this.#openChannel().catch((error: unknown) => {
      this.#channel = null;
      throw error;
    });
    return this.#channel;
  }

  async #openChannel(): Promise<Channel> {
    const channel = await this.#connection.acquire();
    keepBytes(channel);
    channel.once('close', () => {
      this.#channel = null;
      for (const [handle, delivery] of this.#unsettled)
        if (delivery.channel === channel) this.#unsettled.delete(handle);
    });
    await channel.queueDeclare({ queue: this.#place.queue, passive: true });
    return channel;
  }

  #keep(message: AsyncMessage, channel: Channel): QueueMessage {
    this.#deliveries += 1;
    const handle = String(this.#deliveries);
    this.#unsettled.set(handle, { channel, deliveryTag: message.deliveryTag });
    return messageOf(message, handle, this.#now());
  }

  /** Whether anybody receives here by then or not. */
  async #giveBackLater(handles: readonly string[]): Promise<void> {
    const { signal } = this.#closing;
    await pause(REST_MS, null, { signal, ref: false }).catch(() => undefined);
    if (!signal.aborted) await this.#end(handles, 'release');
  }

  /** Each is settled once: of an unknown one RabbitMQ closes the channel. Answers whether it is known to have happened. */
  async #end(handles: readonly string[], action: 'delete' | 'release' | 'reject'): Promise<boolean> {
    const deliveries = handles.map((handle) => this.#unsettled.get(handle)).filter((each) => each !== undefined);
    for (const handle of handles) this.#unsettled.delete(handle);
    try {
      for (const { channel, deliveryTag } of deliveries) {
        if (action === 'delete') channel.basicAck({ deliveryTag });
        else channel.basicNack({ deliveryTag, requeue: action === 'release' });
      }
      await deliveries.at(-1)?.channel.basicQos({ prefetchCount: 1 }); // acknowledgements are not answered; a call behind them is
      return true;
    } catch {
      return false; // the channel has ended: they come back
    }
  }

  #explain(error: unknown): SourceProblem {
    if (this.#refusal instanceof SourceProblem) return this.#refusal;
    const { queue, vhost, hosts } = this.#place;
    const code = String(Reflect.get(Object(error), 'code'));
    const [reason, text] = problems[code] ?? ['Unreachable', 'it does not answer as it should'];
    const place = `RabbitMQ at ${hosts.join(', ')}, queue ${queue} of virtual host ${vhost}`;
    return new SourceProblem(reason, `${place}: ${text} (${code})`, { cause: error });
  }
}

const problems: Readonly<Record<string, readonly [reason: ProblemReason, text: string]>> = {
  NOT_FOUND: ['SourceNotFound', 'there is no such queue'],
  ACCESS_REFUSED: ['AccessDenied', 'user and password are refused, or may not read it'],
  NOT_ALLOWED: ['AccessDenied', 'there is no such virtual host, or the user may not enter it'],
  RESOURCE_LOCKED: ['AccessDenied', 'the queue is for one connection only, of somebody else'],
};

/** The client (5.0) parses bodies of JSON and text that have no encoding, and bytes get lost: to it they have one. */
function keepBytes(channel: Channel): void {
  const onHeader: unknown = Reflect.get(channel, '_onHeader');
  if (typeof onHeader !== 'function') throw new Error('another version of rabbitmq-client: see how it parses bodies');
  Reflect.set(channel, '_onHeader', (frame: { readonly fields: { contentEncoding?: string | null } }) => {
    frame.fields.contentEncoding ??= noEncoding;
    onHeader.call(channel, frame);
  });
}
