import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';

import type { QueueMessage, SourceRecord } from '../record.ts';
import type { OpenDeps, OpenQueue, QueueAction, ReceiveWish } from '../source.ts';
import { type ProblemReason, SourceProblem } from '../source-problem.ts';
import { connectorTo, type Way } from './connector.ts';
import { type Entry, messageOf } from './record.ts';
import type { StreamPlace } from './source.ts';

/** All gateways are one consumer: who gets what is a matter of time, not of names, and no name is left behind. */
const CONSUMER = 'kappa';
/** An entry that nobody has held for so long is given out again. Longer than any function runs: it is held, every half of it, while one does. */
const HOLD_MS = 60_000;
/** An entry that failed comes back after that. */
const REST_MS = 1_000;
const MAX_AT_ONCE = 100;
const ANSWER_MS = 10_000;
/** While somebody waits for entries, others look for them so often. */
const LOOK_MS = 200;

/** A stream of Redis with its consumer group, which remembers what was given out and is not acknowledged. */
export class RedisStream implements OpenQueue {
  readonly kind = 'queue';
  readonly holdMs = HOLD_MS;
  readonly #place: StreamPlace;
  readonly #onProblem: OpenDeps['onProblem'];
  readonly #client: Redis;
  /** Waits for entries, so nothing else can go over it. */
  readonly #reader: Redis;
  #isWaiting = false;
  #lastError: unknown = null;

  private constructor(place: StreamPlace, way: Way, onProblem: OpenDeps['onProblem']) {
    this.#place = place;
    this.#onProblem = onProblem;
    const { username, password } = place;
    this.#client = new Redis({
      ...way,
      ...(username !== null && { username }),
      ...(password !== null && { password }),
      connectTimeout: ANSWER_MS,
      commandTimeout: ANSWER_MS, // longer than the longest wait of a receive
      maxRetriesPerRequest: 1,
      autoResendUnfulfilledCommands: false, // entries of an answer that was lost come back by themselves
      retryStrategy: (times) => Math.min(100 * 2 ** times, 5_000),
    });
    this.#reader = this.#client.duplicate();
    for (const each of [this.#client, this.#reader])
      each.on('error', (error) => (this.#lastError = error)).on('connect', () => this.#forgetRefusal());
  }

  /** @throws SourceProblem */
  static async open(place: StreamPlace, deps: Pick<OpenDeps, 'signal' | 'onProblem' | 'guard'>) {
    const { signal, onProblem, guard } = deps;
    const queue = new RedisStream(place, await connectorTo(place, guard), onProblem);
    const stop = (): void => void queue.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await queue.#makeGroup();
      return queue;
    } catch (error) {
      await queue.close();
      throw queue.#explain(error);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async receive({ max, waitMs }: ReceiveWish): Promise<readonly QueueMessage[]> {
    const count = Math.min(max, MAX_AT_ONCE);
    try {
      const again = await this.#receiveAgain(count);
      return again.length > 0 ? again : await this.#receiveNew(count, Math.min(Math.ceil(waitMs), ANSWER_MS / 2));
    } catch (error) {
      if (codeOf(error) === 'NOGROUP')
        await this.#makeGroup().catch((cause: unknown) => Promise.reject(this.#explain(cause)));
      throw this.#explain(error);
    }
  }

  async settle(messages: readonly QueueMessage[], action: QueueAction): Promise<readonly QueueMessage[]> {
    const { stream, group } = this.#place;
    const ids = messages.map(({ handle }) => handle);
    if (ids.length === 0) return [];
    try {
      // What is acknowledged once more is not counted again; so a lost answer is no problem.
      if (action === 'delete') await this.#client.xack(stream, group, ...ids);
      else if (action === 'reject') await this.#bury(messages);
      else await this.#claimIdle(ids, { hold: 0, leave: HOLD_MS - REST_MS, release: HOLD_MS }[action]);
      return [];
    } catch (error) {
      throw this.#explain(error);
    }
  }

  eventOf(records: readonly SourceRecord[]): string {
    return `{"Records":[${records.map(({ text }) => text).join(',')}]}`;
  }

  async close(): Promise<void> {
    this.#client.disconnect();
    this.#reader.disconnect();
  }

  /** From its oldest entry on, if there is no such group yet. */
  async #makeGroup(): Promise<void> {
    const { stream, group } = this.#place;
    await this.#client.xgroup('CREATE', stream, group, '0').catch((error: unknown) => {
      if (codeOf(error) !== 'BUSYGROUP') throw error;
    });
  }

  /** Entries that were given out and not settled. Those that were trimmed meanwhile are lost, and told. */
  async #receiveAgain(count: number): Promise<readonly QueueMessage[]> {
    const { stream, group } = this.#place;
    const pending = await this.#client.xpending(stream, group, 'IDLE', HOLD_MS, '-', '+', count);
    const deliveries = new Map(
      pending.flatMap((row) => (Array.isArray(row) ? [[String(row[0]), Number(row[3])] as const] : [])),
    );
    if (deliveries.size === 0) return [];
    const ids = [...deliveries.keys()];
    const entries = entriesOf(await this.#client.callBuffer('XCLAIM', stream, group, CONSUMER, HOLD_MS, ...ids));
    const got = entries.map((entry) => messageOf(entry, stream, (deliveries.get(entry[0].toString()) ?? 0) + 1));
    await this.#tellLost(ids.filter((id) => !got.some((message) => message.id === id)));
    return got;
  }

  async #receiveNew(count: number, waitMs: number): Promise<readonly QueueMessage[]> {
    const { stream, group } = this.#place;
    const from = ['STREAMS', stream, '>'] as const;
    let answer: unknown;
    if (this.#isWaiting) {
      // Behind a call that waits, this one might be given up before it is begun, and its entries be pending for a minute.
      await pause(Math.min(waitMs, LOOK_MS));
      answer = await this.#client.xreadgroupBuffer('GROUP', group, CONSUMER, 'COUNT', count, ...from);
    } else {
      this.#isWaiting = true;
      const block = Math.max(waitMs, 1); // 0 would be for ever
      answer = await this.#reader
        .xreadgroupBuffer('GROUP', group, CONSUMER, 'COUNT', count, 'BLOCK', block, ...from)
        .finally(() => (this.#isWaiting = false));
    }
    const [[, entries] = [null, []]] = Array.isArray(answer) ? answer : [];
    return entriesOf(entries).map((entry) => messageOf(entry, stream, 1));
  }

  /** Which of them are in the stream no more; the others somebody else has claimed. */
  async #tellLost(ids: readonly string[]): Promise<void> {
    const { stream, group } = this.#place;
    const lost: string[] = [];
    for (const id of ids) if ((await this.#client.xrange(stream, id, id)).length === 0) lost.push(id);
    if (lost.length === 0) return;
    await this.#client.xack(stream, group, ...lost);
    const text = `${lost.length} entries were trimmed from ${stream} before they were done, the first of them ${lost[0]}: keep more of it`;
    this.#onProblem(new SourceProblem('PositionLost', text));
  }

  /** Gives them an age, without counting it as a delivery. */
  #claimIdle(ids: readonly string[], idleMs: number): Promise<unknown> {
    const { stream, group } = this.#place;
    return this.#client.call('XCLAIM', stream, group, CONSUMER, 0, ...ids, 'IDLE', idleMs, 'JUSTID');
  }

  /** Puts copies into the stream `KEY:dead`. */
  async #bury(messages: readonly QueueMessage[]): Promise<void> {
    const { stream, group } = this.#place;
    for (const { handle } of messages) {
      const [entry] = entriesOf(await this.#client.callBuffer('XRANGE', stream, handle, handle));
      const both = this.#client.multi();
      if (entry !== undefined) both.xadd(`${stream}:dead`, '*', ...entry[1]);
      both.xack(stream, group, handle);
      for (const [error] of (await both.exec()) ?? []) if (error !== null) throw error;
    }
  }

  #forgetRefusal(): void {
    if (this.#lastError instanceof SourceProblem) this.#lastError = null;
  }

  #explain(error: unknown): SourceProblem {
    const { server, stream } = this.#place;
    const code = [error, this.#lastError].map(codeOf).find((each) => each in problems) ?? codeOf(error);
    if (!(code in problems) && this.#lastError instanceof SourceProblem) return this.#lastError;
    const [reason, text] = problems[code] ?? ['Unreachable', 'does not answer as it should'];
    return new SourceProblem(reason, `Redis at ${server} ${text}: ${stream} (${code})`, { cause: error });
  }
}

/** Redis's own name for an error is the first word that it says. */
function codeOf(error: unknown): string {
  const { message = '', code } = Object(error);
  return String(code ?? /^[A-Z]+(?= )/.exec(String(message))?.[0] ?? 'no answer');
}

const problems: Readonly<Record<string, readonly [reason: ProblemReason, text: string]>> = {
  NOGROUP: ['SourceNotFound', 'has no such stream, or had none'],
  ERR: ['SourceNotFound', 'has no such stream'],
  WRONGTYPE: ['InvalidSource', 'has something else than a stream under the key'],
  WRONGPASS: ['AccessDenied', 'refuses the credentials'],
  NOAUTH: ['AccessDenied', 'wants credentials'],
  NOPERM: ['AccessDenied', 'does not let the user read the stream'],
};

/** Entries of an answer; Redis 6 has null for one that was trimmed. */
function entriesOf(answer: unknown): readonly Entry[] {
  if (!Array.isArray(answer)) return [];
  return answer.filter((entry): entry is Entry => Array.isArray(entry) && Array.isArray(entry[1]));
}
