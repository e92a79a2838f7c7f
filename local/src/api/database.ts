import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { KubeObject } from './object.ts';
import { parseObject } from './object.ts';

/** Where an object lies: `group/plural`, namespace ('' = cluster-scoped), name. */
export interface Place {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * The objects on disk. WAL with synchronous NORMAL: a commit is in the operating system before the answer goes out, so
 * kill -9 of this process loses nothing; only a crash of the machine may lose the last moments, and never consistency.
 * FULL would cost one disk flush for each of the lease renewals and pod status writes, on the event loop, and a
 * development machine that lost power has lost its pods too.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #count: StatementSync;

  /** @param path file, or ':memory:'. @throws Error when another process has it open */
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#lock(path);
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS objects (
        resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL,
        PRIMARY KEY (resource, namespace, name)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      INSERT OR IGNORE INTO counters VALUES ('resourceVersion', 0);
    `);
    this.#put = this.#db.prepare('INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)');
    this.#remove = this.#db.prepare('DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?');
    this.#count = this.#db.prepare("UPDATE counters SET value = ? WHERE name = 'resourceVersion'");
  }

  /** The last resource version that was given out. */
  readVersion(): number {
    const row = this.#db.prepare("SELECT value FROM counters WHERE name = 'resourceVersion'").get();
    return Number(row?.['value'] ?? 0);
  }

  /** Every object, with its resource. */
  *readAll(): Generator<{ readonly resource: string; readonly object: KubeObject }> {
    for (const row of this.#db.prepare('SELECT resource, json FROM objects').iterate()) {
      yield { resource: String(row['resource']), object: parseObject(JSON.parse(String(row['json']))) };
    }
  }

  /** Writes an object and the counter in one transaction. */
  write(place: Place, object: KubeObject, version: number): void {
    this.#transact(() => {
      this.#put.run(place.resource, place.namespace, place.name, JSON.stringify(object));
      this.#count.run(version);
    });
  }

  /** Removes an object and writes the counter in one transaction. */
  remove(place: Place, version: number): void {
    this.#transact(() => {
      this.#remove.run(place.resource, place.namespace, place.name);
      this.#count.run(version);
    });
  }

  close(): void {
    this.#db.close();
  }

  /**
   * One process per file: another one would have its own idea of what is stored. @throws Error when the file is in use
   */
  #lock(path: string): void {
    try {
      this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      this.#db.exec('BEGIN EXCLUSIVE; COMMIT;');
    } catch (cause) {
      this.#db.close();
      throw new Error(`cannot open ${path}: is another embedded API using it?`, { cause });
    }
  }

  #transact(write: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      write();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}
