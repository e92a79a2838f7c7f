import { randomUUID } from 'node:crypto';

import type { AsyncEvent } from './event.ts';
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
import { byteLimits, deadPageBytes, type QueueLimits, sweepEveryMs } from './queue-limits.ts';
import { noProgress, parseEach, progressText } from './records.ts';
import type { MarkChange, ScheduleMarks } from './schedule-marks.ts';
import { type Row, SqliteFile } from './sqlite-file.ts';
import { moveMark, readMarks } from './sqlite-marks.ts';
import { bytesOf, checkRoom, putRow } from './sqlite-put.ts';
import { parseRow, readRow } from './sqlite-rows.ts';

/**
 * The queue in one SQLite file, for local mode: the same transitions as in Redis, each in a transaction that is on disk when its promise
 * resolves. Transitions of one turn of the event loop share a transaction, and so the wait for the disk. Several processes may have the file
 * open; hints of due events reach only the own one.
 */
export class SqliteQueue implements EventQueue, ScheduleMarks {
  readonly #file: SqliteFile;
  readonly #limits: QueueLimits;
  readonly #onProblem: (problem: Error) => void;
  readonly #listeners: ((line: string) => void)[] = [];
  readonly #evictionListeners: EvictionListener[] = [];
  #nextSweepMs = 0;

  /**
   * @param file an open one, or its path: it is made when it is missing, with its folder
   * @param onProblem is told of events that can't be read
   * @throws Error when it is no queue, or can't be opened
   */
  constructor(file: string | SqliteFile, limits: QueueLimits, onProblem: (problem: Error) => void = () => {}) {
    this.#file = typeof file === 'string' ? new SqliteFile(file) : file;
    this.#limits = limits;
    this.#onProblem = onProblem;
  }

  async put(event: AsyncEvent): Promise<void> {
    const isNew = await this.#file.change(() => putRow(this.#file, this.#limits, event));
    if (isNew) this.#tell(event.line);
  }

  async lease(line: string, { count, nowMs, leaseMs, maxBytes }: LeaseRequest): Promise<readonly LeasedEvent[]> {
    const leasedUntilMs = nowMs + leaseMs;
    const taken = await this.#file.change(() => {
      this.#file.run(
        `UPDATE events SET state = 'waiting', at_ms = ?, token = NULL WHERE line = ? AND state = 'leased' AND at_ms <= ?`,
        ...[nowMs, line, nowMs],
      );
      const due = this.#file.all(
        `SELECT id, at_ms, length(bytes) AS size FROM events JOIN bodies ON event = number AND kind = 'payload' WHERE line = ? AND state = 'waiting' AND at_ms <= ? ORDER BY at_ms, id LIMIT ?`,
        ...[line, nowMs, count],
      );
      const rows: Taken[] = [];
      let room = maxBytes;
      for (const { id, at_ms, size } of due) {
        room -= Number(size);
        if (room < 0 && rows.length > 0) break;
        rows.push({ ...this.#take(line, String(id), leasedUntilMs), dueMs: Number(at_ms) });
      }
      return rows;
    });
    const parse = ({ id, token, row, dueMs }: Taken): LeasedEvent => {
      const { event, progress } = parseRow(line, id, row);
      return { lease: { line, id, token }, event, progress, dueMs, leasedUntilMs };
    };
    return parseEach(line, taken, parse, this.#onProblem);
  }

  renew({ line, id, token }: Lease, untilMs: number): Promise<boolean> {
    return this.#file.change(
      () =>
        this.#file.run(
          'UPDATE events SET at_ms = ? WHERE line = ? AND id = ? AND token = ?',
          untilMs,
          line,
          id,
          token,
        ) > 0,
    );
  }

  async settle({ line, id, token }: Lease, settlement: Settlement): Promise<boolean> {
    const held = 'line = ? AND id = ? AND token = ?';
    if (settlement.kind === 'done') {
      return this.#file.change(() => this.#file.run(`DELETE FROM events WHERE ${held}`, line, id, token) > 0);
    }
    const { kind, progress } = settlement;
    const [state, atMs, condition] =
      kind === 'dead' ? ['dead', settlement.atMs, settlement.condition] : ['waiting', settlement.dueMs, null];
    const evicted = await this.#file.change(() => {
      const row = this.#file.get(`SELECT number FROM events WHERE ${held}`, line, id, token);
      if (row === undefined) return null;
      const number = Number(row['number']);
      this.#keepAnswer(number, progress.last?.payload);
      this.#file.run(
        'UPDATE events SET state = ?, at_ms = ?, progress = ?, condition = ?, token = NULL WHERE number = ?',
        ...[state, atMs, progressText(progress), condition, number],
      );
      return kind === 'dead' ? this.#makeRoomForDead(line) : new Map<string, number>();
    });
    for (const [name, events] of evicted ?? []) for (const listener of this.#evictionListeners) listener(name, events);
    return evicted !== null;
  }

  async lines(nowMs: number): Promise<readonly LineState[]> {
    await this.#sweep(nowMs);
    return this.#file.change(() =>
      this.#file
        .all('SELECT line, events FROM totals WHERE dead = 0 AND events > 0')
        .map(({ line, events }) => this.#stateOf(String(line), Number(events), nowMs)),
    );
  }

  async dead(
    line: string,
    { limit, after = '' }: { readonly limit: number; readonly after?: string },
  ): Promise<DeadPage> {
    const [, at = String(Number.MAX_SAFE_INTEGER), id = ''] = /^(\d+):(.*)$/s.exec(after) ?? [];
    const { found, page } = await this.#file.change(() => {
      const found = this.#file.all(
        `SELECT id, weight FROM events WHERE line = ? AND state = 'dead' AND (at_ms, id) < (?, ?) ORDER BY at_ms DESC, id DESC LIMIT ?`,
        ...[line, Number(at), id, limit + 1],
      );
      const page: { readonly id: string; readonly row: Row }[] = [];
      let room = deadPageBytes;
      for (const { id: name, weight } of found.slice(0, limit)) {
        room -= Number(weight);
        const row = room < 0 && page.length > 0 ? undefined : readRow(this.#file, line, String(name));
        if (row === undefined) break;
        page.push({ id: String(name), row });
      }
      return { found: found.length, page };
    });
    const events = parseEach(line, page, (entry) => parseRow(line, entry.id, entry.row), this.#onProblem);
    const last = page.at(-1);
    const isMore = page.length < found && last !== undefined;
    return { events, ...(isMore ? { next: `${last.row['at_ms']}:${last.id}` } : {}) };
  }

  async find(line: string, id: string): Promise<StoredEvent | undefined> {
    const row = await this.#file.change(() => readRow(this.#file, line, id));
    return row === undefined ? undefined : parseRow(line, id, row);
  }

  async replay(line: string, id: string, nowMs: number): Promise<boolean> {
    const isBack = await this.#file.change(() => {
      const row = this.#file.get(
        `SELECT number, weight FROM events WHERE line = ? AND id = ? AND state = 'dead'`,
        line,
        id,
      );
      if (row === undefined) return false;
      const number = Number(row['number']);
      checkRoom(this.#file, this.#limits, line, Number(row['weight']));
      this.#keepAnswer(number, undefined);
      this.#file.run(
        `UPDATE events SET state = 'waiting', at_ms = ?, accepted_ms = ?, progress = ?, condition = NULL WHERE number = ?`,
        ...[nowMs, nowMs, progressText(noProgress), number],
      );
      return true;
    });
    if (isBack) this.#tell(line);
    return isBack;
  }

  drop(line: string, id: string): Promise<boolean> {
    return this.#file.change(
      () => this.#file.run(`DELETE FROM events WHERE line = ? AND id = ? AND state <> 'leased'`, line, id) > 0,
    );
  }

  marks(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#file.change(() => readMarks(this.#file, ids));
  }

  mark(change: MarkChange): Promise<boolean> {
    return this.#file.change(() => moveMark(this.#file, change));
  }

  async fire(event: AsyncEvent, change: MarkChange): Promise<boolean> {
    const isFired = await this.#file.change(() => {
      if (!moveMark(this.#file, change)) return false;
      putRow(this.#file, this.#limits, event); // what it throws takes the mark back
      return true;
    });
    if (isFired) this.#tell(event.line);
    return isFired;
  }

  markedIds(): Promise<readonly string[]> {
    return this.#file.change(() => this.#file.all('SELECT id FROM marks').map(({ id }) => String(id)));
  }

  async unmark(ids: readonly string[]): Promise<void> {
    await this.#file.change(() => ids.map((id) => this.#file.run('DELETE FROM marks WHERE id = ?', id)));
  }

  onDue(listener: (line: string) => void): void {
    this.#listeners.push(listener);
  }

  onEvicted(listener: EvictionListener): void {
    this.#evictionListeners.push(listener);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #tell(line: string): void {
    for (const listener of this.#listeners) listener(line);
  }

  #take(line: string, id: string, leasedUntilMs: number): Omit<Taken, 'dueMs'> {
    const token = randomUUID();
    this.#file.run(
      `UPDATE events SET state = 'leased', at_ms = ?, token = ? WHERE line = ? AND id = ?`,
      ...[leasedUntilMs, token, line, id],
    );
    const row = readRow(this.#file, line, id);
    if (row === undefined) throw new Error(`event ${id} of ${line} is gone while it is leased`);
    return { id, token, row };
  }

  /** The last answer in place of the one before. */
  #keepAnswer(number: number, answer: Buffer | undefined): void {
    const before = this.#file.get(`SELECT length(bytes) AS size FROM bodies WHERE event = ? AND kind = 'last'`, number);
    const difference = (answer?.length ?? 0) - Number(before?.['size'] ?? 0);
    if (before !== undefined) this.#file.run(`DELETE FROM bodies WHERE event = ? AND kind = 'last'`, number);
    if (answer !== undefined) this.#file.run(`INSERT INTO bodies VALUES (?, 'last', ?)`, number, answer);
    if (difference !== 0) this.#file.run('UPDATE events SET weight = weight + ? WHERE number = ?', difference, number);
  }

  #stateOf(line: string, events: number, nowMs: number): LineState {
    const number = (sql: string, ...values: (string | number)[]): number =>
      Number(this.#file.get(sql, ...values)?.['value']);
    const leased = number(
      `SELECT count(*) AS value FROM events WHERE line = ? AND state = 'leased' AND at_ms > ?`,
      line,
      nowMs,
    );
    const first = `SELECT min(at_ms) AS at FROM events WHERE line = ? AND state =`;
    return {
      line,
      waiting: events - leased,
      leased,
      nextMs: number(`SELECT min(at) AS value FROM (${first} 'waiting' UNION ALL ${first} 'leased')`, line, line),
      oldestMs: number(`SELECT min(accepted_ms) AS value FROM events WHERE line = ? AND state <> 'dead'`, line),
    };
  }

  /** The oldest dead events make room. @returns how many of each line */
  #makeRoomForDead(line: string): ReadonlyMap<string, number> {
    const evicted = new Map<string, number>();
    const evict = (sql: string, ...values: (string | number)[]): void => {
      for (const { line: from } of this.#file.all(
        `DELETE FROM events WHERE number IN (${sql}) RETURNING line`,
        ...values,
      ))
        evicted.set(String(from), (evicted.get(String(from)) ?? 0) + 1);
    };
    const events = Number(
      this.#file.get('SELECT events FROM totals WHERE dead = 1 AND line = ?', line)?.['events'] ?? 0,
    );
    const tooMany = events - this.#limits.deadPerLine;
    const ofLine = `SELECT number FROM events WHERE line = ? AND state = 'dead' ORDER BY at_ms, id LIMIT ?`;
    if (tooMany > 0) evict(ofLine, line, tooMany);
    const { dead } = byteLimits(this.#limits, 0);
    while (bytesOf(this.#file, 1) > dead)
      evict(`SELECT number FROM events WHERE state = 'dead' ORDER BY at_ms LIMIT 1`);
    return evicted;
  }

  async #sweep(nowMs: number): Promise<void> {
    if (nowMs < this.#nextSweepMs) return;
    const before = nowMs - this.#limits.deadKeptMs;
    await this.#file.change(() => this.#file.run(`DELETE FROM events WHERE state = 'dead' AND at_ms < ?`, before));
    this.#nextSweepMs = nowMs + sweepEveryMs;
  }
}

/** An event that is leased, as it stands in the file. */
interface Taken {
  readonly id: string;
  readonly token: string;
  readonly row: Row;
  readonly dueMs: number;
}
