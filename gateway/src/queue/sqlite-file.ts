import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import { QueueFull, QueueUnavailable } from './event-queue.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** How long another process may hold the file, ms: this one waits in full. */
const busyMs = 300;
/** https://www.sqlite.org/rescode.html */
const codes = { busy: 5, full: 13 };

/**
 * Of the queue. `totals` is kept by triggers, so that no statement can forget it: counting 100,000 events for each put would take milliseconds.
 * `bodies` are apart: SQLite writes a whole row again for each change of it, and a change of state is no reason to write a payload again.
 */
export const eventsSchema = `
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY,
  line TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'dead')),
  -- when it is due, its lease runs out, or it died
  at_ms INTEGER NOT NULL,
  accepted_ms INTEGER NOT NULL,
  header TEXT NOT NULL,
  progress TEXT NOT NULL,
  token TEXT,
  condition TEXT,
  weight INTEGER NOT NULL,
  UNIQUE (line, id)
);
CREATE TABLE IF NOT EXISTS bodies (
  event INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('payload', 'last')),
  bytes BLOB NOT NULL,
  UNIQUE (event, kind)
);
CREATE INDEX IF NOT EXISTS by_time ON events (line, state, at_ms, id);
CREATE INDEX IF NOT EXISTS by_age ON events (line, accepted_ms) WHERE state <> 'dead';
CREATE INDEX IF NOT EXISTS by_death ON events (at_ms) WHERE state = 'dead';
-- how far schedules have come, by the uid of their mapping
CREATE TABLE IF NOT EXISTS marks (id TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (
  line TEXT NOT NULL,
  dead INTEGER NOT NULL,
  events INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (line, dead)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON events BEGIN
  INSERT INTO totals VALUES (new.line, new.state = 'dead', 1, new.weight)
    ON CONFLICT DO UPDATE SET events = events + 1, bytes = bytes + new.weight;
END;
CREATE TRIGGER IF NOT EXISTS removed AFTER DELETE ON events BEGIN
  DELETE FROM bodies WHERE event = old.number;
  UPDATE totals SET events = events - 1, bytes = bytes - old.weight WHERE line = old.line AND dead = (old.state = 'dead');
  DELETE FROM totals WHERE line = old.line AND events = 0;
END;
CREATE TRIGGER IF NOT EXISTS changed AFTER UPDATE OF state, weight ON events
WHEN (old.state = 'dead') <> (new.state = 'dead') OR old.weight <> new.weight BEGIN
  UPDATE totals SET events = events - 1, bytes = bytes - old.weight WHERE line = old.line AND dead = (old.state = 'dead');
  INSERT INTO totals VALUES (new.line, new.state = 'dead', 1, new.weight)
    ON CONFLICT DO UPDATE SET events = events + 1, bytes = bytes + new.weight;
  DELETE FROM totals WHERE line = old.line AND events = 0;
END;
`;

interface Change {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One SQLite file whose changes are on disk when they are told (write-ahead log, synced at each commit). */
export class SqliteFile {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #changes: Change[] = [];
  #isClosed = false;

  /** @param schema is there when it is opened: statements that make what is missing */
  constructor(path: string, schema = eventsSchema) {
    mkdirSync(dirname(path), { recursive: true });
    this.#database = new DatabaseSync(path, { timeout: busyMs });
    try {
      this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${schema}`);
    } catch (error) {
      this.#database.close();
      throw new Error(`can't open the queue ${path}: ${String(error)}`, { cause: error });
    }
  }

  /**
   * Does `work` in a transaction, together with what else is asked for in this turn of the event loop.
   *
   * @param work may be done twice: when the shared transaction fails, each is done again in one of its own
   * @throws QueueFull, QueueUnavailable, or what `work` throws; nothing is changed then
   */
  change<T>(work: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(new QueueUnavailable('the queue is closed'));
    return new Promise<T>((resolve, reject) => {
      if (this.#changes.length === 0) setImmediate(() => this.#commit());
      // `work` gave it.
      this.#changes.push({ work, resolve: (value) => resolve(value as T), reject });
    });
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return this.#prepared(sql).all(...values);
  }

  /** Ends what was asked for, and closes the file. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#commit();
    this.#database.close();
  }

  #commit(): void {
    const changes = this.#changes;
    this.#changes = [];
    if (changes.length === 0) return;
    try {
      const values = this.#transaction(() => changes.map(({ work }) => work()));
      changes.forEach(({ resolve }, i) => void resolve(values[i]));
    } catch (error) {
      // Whoever holds the file is waited for once, not once for each.
      if (codeOf(error) === codes.busy) for (const { reject } of changes) reject(queueError(error));
      else for (const change of changes) this.#commitAlone(change);
    }
  }

  #commitAlone({ work, resolve, reject }: Change): void {
    try {
      resolve(this.#transaction(work));
    } catch (error) {
      reject(queueError(error));
    }
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.#database.exec('COMMIT');
      return value;
    } catch (error) {
      // SQLite has rolled back itself after some errors.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** SQLite's code of an error, without what extends it; NaN = it is not SQLite's. */
function codeOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) % 256 : Number.NaN;
}

function queueError(error: unknown): unknown {
  const code = codeOf(error);
  if (Number.isNaN(code)) return error;
  if (code === codes.full) return new QueueFull('no room for the queue on disk', { cause: error });
  return new QueueUnavailable(`the queue's file fails: ${String(error)}`, { cause: error });
}
