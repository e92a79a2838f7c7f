import { randomUUID } from 'node:crypto';

import type { AsyncEvent, Progress } from './event.ts';
import type {
  DeadPage,
  EventQueue,
  EvictionListener,
  Lease,
  LeasedEvent,
  LeaseRequest,
  LineState,
  Settlement,
  StoredEvent,
} from './event-queue.ts';
import { QueueFull } from './event-queue.ts';
import { byteLimits, deadPageBytes, type QueueLimits, sweepEveryMs } from './queue-limits.ts';
import {
  headerText,
  noProgress,
  parseCondition,
  parseEach,
  parseEvent,
  parseProgress,
  progressText,
} from './records.ts';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';
import type { MarkChange, ScheduleMarks } from './schedule-marks.ts';

/** Lines that one script looks at: Redis does nothing else meanwhile. */
const linesAtOnce = 200;
/** Calls without an answer that are remembered, for each line. */
const maxUnanswered = 50;
/** Lines of which they are remembered. */
const maxUnansweredLines = 2_000;

/**
 * The queue in Redis 7 or Valkey, for any number of gateways. Each transition is one script of `lua/`, so it happens as a whole or not
 * at all; with `appendfsync always` Redis answers when it is on disk.
 *
 * @see docs/adr/0012-event-queue.md
 */
export class RedisQueue implements EventQueue, ScheduleMarks {
  readonly #redis: RedisConnection;
  readonly #limits: QueueLimits;
  readonly #onProblem: (problem: Error) => void;
  /** Tokens of calls of `lease` that got no answer, by line: what Redis leased to them is taken back by the next call. */
  readonly #unanswered = new Map<string, string[]>();
  readonly #evictionListeners: EvictionListener[] = [];
  #nextSweepMs = 0;

  constructor(options: RedisConnectionOptions, limits: QueueLimits) {
    this.#redis = new RedisConnection(options);
    this.#limits = limits;
    this.#onProblem = options.onProblem;
  }

  async put(event: AsyncEvent): Promise<void> {
    const outcome = await this.#redis.runReplicated(this.#redis.scripts.put, [...putArgs(event), ...this.#room()]);
    throwWhenFull(String(outcome), event.line);
  }

  async lease(line: string, { count, nowMs, leaseMs, maxBytes }: LeaseRequest): Promise<readonly LeasedEvent[]> {
    // A call that is not sent has no leases that could get lost.
    await this.#redis.usable();
    const call = randomUUID();
    const lost = this.#unanswered.get(line) ?? [];
    const leasedUntilMs = nowMs + leaseMs;
    const args = [line, nowMs, leasedUntilMs, count, maxBytes, call, ...lost];
    const answer = await this.#redis.run(this.#redis.scripts.lease, args).catch((error: unknown) => {
      this.#remember(line, call);
      throw error;
    });
    this.#forgetCalls(line, lost);
    const entries = listOf(answer).map((entry) => {
      const [id, dueMs, ...record] = listOf(entry);
      return { id: textOf(id), dueMs: Number(textOf(dueMs)), record };
    });
    const parse = ({ id, dueMs, record }: (typeof entries)[number]): LeasedEvent => ({
      lease: { line, id, token: `${call}:${id}` },
      ...parseRecord(line, id, record),
      dueMs,
      leasedUntilMs,
    });
    return parseEach(line, entries, parse, this.#onProblem);
  }

  async renew({ line, id, token }: Lease, untilMs: number): Promise<boolean> {
    return (await this.#redis.run(this.#redis.scripts.renew, [line, id, token, untilMs])) === 1;
  }

  async settle(lease: Lease, settlement: Settlement): Promise<boolean> {
    const { settle, settleFull } = this.#redis.scripts;
    if (settlement.kind === 'done') return (await this.#redis.run(settleFull, settleArgs(lease, settlement))) === 1;
    try {
      return this.#isSettled(await this.#redis.run(settle, [...settleArgs(lease, settlement), ...this.#deadRoom()]));
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      // A full Redis keeps how far the event has come, but not what the function answered.
      const lean = { ...settlement, progress: withoutAnswer(settlement.progress) };
      return this.#isSettled(await this.#redis.run(settleFull, [...settleArgs(lease, lean), ...this.#deadRoom()]));
    }
  }

  async lines(nowMs: number): Promise<readonly LineState[]> {
    await this.#sweep(nowMs);
    const names = await this.#redis.lines();
    const states: LineState[] = [];
    for (let i = 0; i < names.length; i += linesAtOnce) {
      const answer = await this.#redis.run(this.#redis.scripts.lines, [nowMs, ...names.slice(i, i + linesAtOnce)]);
      states.push(...listOf(answer).map((entry) => parseLine(listOf(entry))));
    }
    return states;
  }

  async dead(line: string, page: { readonly limit: number; readonly after?: string }): Promise<DeadPage> {
    const [, at = '+inf', id = ''] = /^(\d+):(.*)$/s.exec(page.after ?? '') ?? [];
    const answer = await this.#redis.run(this.#redis.scripts.dead, [line, page.limit, deadPageBytes, at, id]);
    const [more, found] = listOf(answer);
    const entries = listOf(found).map((entry) => {
      const [name, diedMs, ...record] = listOf(entry);
      return { id: textOf(name), diedMs: textOf(diedMs), record };
    });
    const parse = ({ id: name, diedMs, record }: (typeof entries)[number]): StoredEvent =>
      parseStored(line, name, ['dead', diedMs, ...record]);
    const last = entries.at(-1);
    return {
      events: parseEach(line, entries, parse, this.#onProblem),
      ...(more === 1 && last !== undefined ? { next: `${last.diedMs}:${last.id}` } : {}),
    };
  }

  async find(line: string, id: string): Promise<StoredEvent | undefined> {
    const answer = await this.#redis.run(this.#redis.scripts.find, [line, id]);
    return answer === null ? undefined : parseStored(line, id, listOf(answer));
  }

  async replay(line: string, id: string, nowMs: number): Promise<boolean> {
    const args = [line, id, nowMs, progressText(noProgress), ...this.#room()];
    const outcome = String(await this.#redis.run(this.#redis.scripts.replay, args));
    throwWhenFull(outcome, line);
    return outcome === 'kept';
  }

  async drop(line: string, id: string): Promise<boolean> {
    return (await this.#redis.run(this.#redis.scripts.drop, [line, id])) === 1;
  }

  async marks(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0) return new Map(); // no ids ask for all
    const found = listOf(await this.#redis.run(this.#redis.scripts.marks, ids));
    return new Map(ids.flatMap((id, i) => (found[i] === null ? [] : [[id, textOf(found[i])]])));
  }

  async mark({ id, before = '', after }: MarkChange): Promise<boolean> {
    return (await this.#redis.runReplicated(this.#redis.scripts.mark, [id, before, after])) === 1;
  }

  async fire(event: AsyncEvent, { id, before = '', after }: MarkChange): Promise<boolean> {
    const args = [id, before, after, ...putArgs(event), ...this.#room()];
    const outcome = String(await this.#redis.runReplicated(this.#redis.scripts.fire, args));
    throwWhenFull(outcome, event.line);
    return outcome === 'kept';
  }

  async markedIds(): Promise<readonly string[]> {
    return listOf(await this.#redis.run(this.#redis.scripts.marks, [])).map(textOf);
  }

  async unmark(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#redis.run(this.#redis.scripts.unmark, ids);
  }

  onDue(listener: (line: string) => void): void {
    this.#redis.subscribe(listener);
  }

  onEvicted(listener: EvictionListener): void {
    this.#evictionListeners.push(listener);
  }

  async close(): Promise<void> {
    this.#redis.close();
  }

  /** Reads the answer of `settle`, and tells what it removed. */
  #isSettled(answer: unknown): boolean {
    if (!Array.isArray(answer)) return answer === 1;
    for (let i = 0; i + 1 < answer.length; i += 2) {
      for (const listener of this.#evictionListeners) listener(textOf(answer[i]), Number(answer[i + 1]));
    }
    return true;
  }

  /** Removes what died too long ago, now and then. */
  async #sweep(nowMs: number): Promise<void> {
    if (nowMs < this.#nextSweepMs) return;
    const removed = await this.#redis.run(this.#redis.scripts.sweep, [nowMs - this.#limits.deadKeptMs]);
    // More may be left when many were removed.
    if (removed === 0) this.#nextSweepMs = nowMs + sweepEveryMs;
  }

  /** The oldest go: their leases run out by themselves, and the line may be another gateway's by now. */
  #remember(line: string, call: string): void {
    const calls = [...(this.#unanswered.get(line) ?? []), call].slice(-maxUnanswered);
    this.#unanswered.delete(line);
    this.#unanswered.set(line, calls);
    const [oldest] = this.#unanswered.keys();
    if (this.#unanswered.size > maxUnansweredLines && oldest !== undefined) this.#unanswered.delete(oldest);
  }

  #forgetCalls(line: string, calls: readonly string[]): void {
    const left = (this.#unanswered.get(line) ?? []).filter((call) => !calls.includes(call));
    if (left.length === 0) this.#unanswered.delete(line);
    else this.#unanswered.set(line, left);
  }

  #room(): readonly number[] {
    return [this.#limits.eventsPerLine, byteLimits(this.#limits, this.#redis.maxMemoryBytes).live];
  }

  #deadRoom(): readonly number[] {
    return [this.#limits.deadPerLine, byteLimits(this.#limits, this.#redis.maxMemoryBytes).dead];
  }
}

function putArgs(event: AsyncEvent): readonly (string | number | Buffer)[] {
  const { line, id, payload, acceptedMs } = event;
  return [line, id, headerText(event), payload, acceptedMs, progressText(noProgress)];
}

function settleArgs({ line, id, token }: Lease, settlement: Settlement): readonly (string | number | Buffer)[] {
  if (settlement.kind === 'done') return [line, id, token, 'done'];
  const { kind, progress } = settlement;
  const answer = progress.last?.payload;
  const at = kind === 'dead' ? settlement.atMs : settlement.dueMs;
  const args = [line, id, token, kind, at, progressText(progress), answer === undefined ? '0' : '1', answer ?? ''];
  return [...args, kind === 'dead' ? settlement.condition : ''];
}

function withoutAnswer({ last, ...progress }: Progress): Progress {
  if (last?.payload === undefined) return last === undefined ? progress : { ...progress, last };
  const { payload, ...rest } = last;
  return { ...progress, last: { ...rest, payloadCut: true } };
}

function throwWhenFull(outcome: string, line: string): void {
  if (outcome === 'line') throw new QueueFull(`the line of ${line} is full`);
  if (outcome === 'store') throw new QueueFull('the queue is full');
}

function parseLine([line, waiting, leased, next, oldest]: readonly unknown[]): LineState {
  return {
    line: textOf(line),
    waiting: Number(waiting),
    leased: Number(leased),
    ...(next === null ? {} : { nextMs: Number(textOf(next)) }),
    oldestMs: Number(textOf(oldest)),
  };
}

function parseStored(line: string, id: string, [state, at, ...record]: readonly unknown[]): StoredEvent {
  const condition = record[5];
  return {
    ...parseRecord(line, id, record),
    state: parseState(textOf(state)),
    atMs: Number(textOf(at)),
    ...(Buffer.isBuffer(condition) ? { condition: parseCondition(textOf(condition)) } : {}),
  };
}

function parseRecord(
  line: string,
  id: string,
  [header, payload, accepted, progress, last]: readonly unknown[],
): { readonly event: AsyncEvent; readonly progress: Progress } {
  if (!Buffer.isBuffer(payload)) throw new Error(`event ${id} of ${line} has no payload in Redis`);
  return {
    event: parseEvent(line, id, { header: textOf(header), payload, acceptedMs: Number(textOf(accepted)) }),
    progress: parseProgress({ progress: textOf(progress), last: Buffer.isBuffer(last) ? last : null }),
  };
}

function parseState(text: string): StoredEvent['state'] {
  if (text === 'waiting' || text === 'leased' || text === 'dead') return text;
  throw new Error(`no state of an event: ${text}`);
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error('Redis did not answer with a list');
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString() : String(value);
}
