import { Redis } from 'ioredis';

import { QueueFull, QueueUnavailable } from './event-queue.ts';
import { Replicas } from './redis-replicas.ts';
import { judge, parseSettings, settingNames } from './redis-safety.ts';
import { type RedisScript, type RedisScripts, readScripts } from './redis-scripts.ts';

/** A call that Redis has not answered after this has failed; below the 1 s that callers are promised. */
export const answerWithinMs = 800;
/** A connection that owes an answer for so long is given up. */
const silentMs = 5_000;
/** A server that would lose events is asked again whether it still would. */
const askAgainMs = 1_000;
/** Whether a server has replicas is looked at again so often. */
const replicasEveryMs = 5_000;

export interface RedisConnectionOptions {
  /** `redis://host:6379`, `rediss://…`; a path is the number of the database. */
  readonly url: string;
  /** Empty = none. */
  readonly password: string;
  /** Default: {@link answerWithinMs}. */
  readonly answerWithinMs?: number;
  /** Is told each problem, also the same one again. */
  readonly onProblem: (problem: Error) => void;
}

type State =
  | { readonly kind: 'connecting'; readonly usable: Promise<void> }
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly because: Error };

/**
 * A connection to Redis for transitions of the queue.
 *
 * | state | enters | calls |
 * | --- | --- | --- |
 * | connecting | at the start | wait for the outcome, at most 800 ms |
 * | up | connected, settings looked at, scripts loaded: anew after each loss, as another server may answer now | run |
 * | down | connection lost, or the server would lose events (no AOF, no fsync, eviction) | fail at once |
 *
 * It connects again by itself. A call that was under way when a connection ended has failed: it is never sent a second time.
 */
export class RedisConnection {
  readonly scripts: RedisScripts = readScripts();
  readonly #client: Redis;
  readonly #options: RedisConnectionOptions;
  readonly #answerWithinMs: number;
  #state: State;
  /** Settles `connecting`. */
  #firstOutcome = Promise.withResolvers<void>();
  #maxMemoryBytes = 0;
  #lastError = new Error('the connection was closed');
  #nextQuestion: NodeJS.Timeout | undefined;
  #hasWarned = false;
  /** Whether the server can be asked to wait for replicas. */
  #mayWait = true;
  #subscriber: Redis | null = null;
  readonly #replicas: Replicas;
  readonly #looking: NodeJS.Timeout;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#answerWithinMs = options.answerWithinMs ?? answerWithinMs;
    this.#firstOutcome.promise.catch(() => {});
    this.#state = { kind: 'connecting', usable: this.#firstOutcome.promise };
    const socketTimeout = Math.max(silentMs, this.#answerWithinMs);
    this.#client = this.#connect({ socketTimeout });
    this.#replicas = new Replicas(() => this.#connect({ socketTimeout }));
    this.#looking = setInterval(() => void this.#lookForReplicas(), replicasEveryMs).unref();
    this.#client.on('ready', () => void this.#examine());
    this.#client.on('error', (error) => {
      this.#lastError = error;
    });
    this.#client.on('close', () => {
      this.#replicas.forget();
      this.#fail(this.#lastError);
    });
  }

  /** The server's `maxmemory`; 0 = none, or not known yet. */
  get maxMemoryBytes(): number {
    return this.#maxMemoryBytes;
  }

  /** Resolves when calls can be sent. @throws QueueUnavailable when they can't */
  async usable(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'connecting') await this.#inTime(() => state.usable);
    if (this.#state.kind === 'down') throw unavailable(this.#state.because);
  }

  /**
   * Runs a script on the keys of the queue.
   *
   * @throws QueueFull when Redis has no memory for it, QueueUnavailable when it did not answer in time or refused
   */
  run(script: RedisScript, args: ScriptArgs): Promise<unknown> {
    return this.#inTime(async (isLate) => {
      await this.usable();
      return this.#send(this.#client, script, args, isLate);
    });
  }

  /**
   * As `run`; and where the server has replicas, one of them has it, too: it is not lost when that one takes over.
   *
   * @throws QueueUnavailable also when no replica acknowledged it in time
   */
  runReplicated(script: RedisScript, args: ScriptArgs): Promise<unknown> {
    return this.#inTime(async (isLate) => {
      await this.usable();
      const { writes } = this.#replicas;
      if (writes === null) return this.#send(this.#client, script, args, isLate);
      await writes.ready;
      const answer = await this.#send(writes.client, script, args, isLate);
      const isAcknowledged = await writes.isAcknowledged().catch((error: unknown) => {
        throw queueError(error);
      });
      if (isAcknowledged) return answer;
      void this.#lookForReplicas();
      throw unavailable(new Error('no replica has acknowledged the event'));
    });
  }

  /** Names of lines that hold events. */
  async lines(): Promise<readonly string[]> {
    await this.usable();
    return this.#client.smembers(indexKey).catch((error: unknown) => {
      throw queueError(error);
    });
  }

  /** Hears of lines that got due events, for as long as the connection lives; on a connection of its own. */
  subscribe(listener: (line: string) => void): void {
    if (this.#subscriber === null) {
      const subscriber = this.#connect({});
      subscriber.on('ready', () => void subscriber.subscribe(hintChannel).catch(this.#options.onProblem));
      this.#subscriber = subscriber;
    }
    this.#subscriber.on('message', (_channel: string, line: string) => listener(line));
  }

  close(): void {
    clearTimeout(this.#nextQuestion);
    clearInterval(this.#looking);
    this.#replicas.forget();
    this.#client.disconnect();
    this.#subscriber?.disconnect();
  }

  #connect(more: { readonly socketTimeout?: number }): Redis {
    const { url, password, onProblem } = this.#options;
    const client = new Redis(url, {
      ...(password === '' ? {} : { password }),
      ...more,
      protocol: 2,
      commandTimeout: this.#answerWithinMs,
      connectTimeout: silentMs,
      // Of a stream that has ended already ioredis waits in vain for the end.
      disconnectTimeout: 200,
      keepAlive: 10_000,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), 1_000),
      // After a fail-over this may be a replica now.
      reconnectOnError: (error) => isReply(error, 'READONLY'),
    });
    client.on('error', onProblem);
    return client;
  }

  /** What has to be known of a server before it is trusted with events. */
  async #examine(): Promise<void> {
    try {
      const [info, mayWait, config] = await Promise.all([
        this.#client.info(),
        this.#client.call('WAIT', 0, 0).then(() => true, isAllowed),
        this.#client.call('CONFIG', 'GET', ...settingNames).catch(refusedOrThrow),
        ...Object.values(this.scripts).map(({ text }) => this.#client.script('LOAD', text)),
      ]);
      const settings = parseSettings(info, Array.isArray(config) ? config.map(String) : null);
      const { dangers, unknown: hidden } = judge(settings);
      this.#mayWait = mayWait;
      const unknown = this.#mayWait ? hidden : [...hidden, 'what replicas have (WAIT is refused)'];
      if (dangers.length > 0) throw new Error(`Redis would lose events: ${dangers.join('; ')}`);
      if (unknown.length > 0 && !this.#hasWarned) {
        this.#hasWarned = true;
        this.#options.onProblem(new Error(`Redis does not tell its settings, see to them: ${unknown.join('; ')}`));
      }
      if (this.#mayWait) this.#replicas.follow(info);
      this.#maxMemoryBytes = settings.maxMemoryBytes;
      this.#state = { kind: 'up' };
      this.#firstOutcome.resolve();
    } catch (error) {
      const problem = error instanceof Error ? error : new Error(String(error));
      this.#options.onProblem(problem);
      this.#fail(problem);
      clearTimeout(this.#nextQuestion);
      this.#nextQuestion = setTimeout(
        () => this.#client.status === 'ready' && void this.#examine(),
        askAgainMs,
      ).unref();
    }
  }

  #fail(because: Error): void {
    this.#state = { kind: 'down', because };
    this.#firstOutcome.reject(unavailable(because));
  }

  /** @param isLate is passed by whoever would send something when nobody waits for it any more */
  async #send(client: Redis, script: RedisScript, args: ScriptArgs, isLate: () => boolean): Promise<unknown> {
    try {
      return await client.callBuffer('EVALSHA', script.sha, 1, indexKey, ...args).catch((error: unknown) => {
        // Somebody has emptied the server's cache of scripts.
        if (!isReply(error, 'NOSCRIPT') || isLate()) throw error;
        return client.callBuffer('EVAL', script.text, 1, indexKey, ...args);
      });
    } catch (error) {
      throw queueError(error);
    }
  }

  /** One deadline for all that a call does. */
  async #inTime<T>(work: (isLate: () => boolean) => Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      late.reject(unavailable(new Error('no answer in time')));
    }, this.#answerWithinMs);
    try {
      return await Promise.race([work(() => isLate), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #lookForReplicas(): Promise<void> {
    if (this.#state.kind !== 'up' || !this.#mayWait) return;
    await this.#client.info('replication').then(
      (info) => this.#replicas.follow(info),
      (error) => this.#options.onProblem(queueError(error)),
    );
  }
}

type ScriptArgs = readonly (string | number | Buffer)[];

/** All keys of an install share the tag in braces, and so the slot. */
const indexKey = '{kappa}:lines';
const hintChannel = '{kappa}:due';

/** A managed server refuses to tell its configuration: null then. */
function refusedOrThrow(error: unknown): null {
  if (isReply(error)) return null;
  throw error;
}

/** Whether a command that failed might do at another time: a replica refuses WAIT until it leads. */
function isAllowed(error: unknown): boolean {
  return !isReply(error, 'NOPERM') && !isReply(error, 'ERR unknown command');
}

function unavailable(cause: Error): QueueUnavailable {
  return new QueueUnavailable(`the queue can't be reached: ${cause.message}`, { cause });
}

function queueError(error: unknown): Error {
  const cause = error instanceof Error ? error : new Error(String(error));
  return isReply(cause, 'OOM')
    ? new QueueFull('Redis has no memory left for the queue', { cause })
    : unavailable(cause);
}

/** Whether it is Redis's answer of this kind: its errors begin with their code. */
function isReply(error: unknown, code = ''): boolean {
  return error instanceof Error && error.name === 'ReplyError' && error.message.startsWith(code);
}
