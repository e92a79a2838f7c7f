import type {
  CheckpointStore,
  Claim,
  Claimed,
  Seen,
  ShardKey,
  ShardRow,
} from '../event-sources/checkpoints/checkpoint-store.ts';
import { SqliteFile } from './sqlite-file.ts';

const schema = `
CREATE TABLE IF NOT EXISTS shards (
  mapping TEXT NOT NULL,
  shard TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  -- empty = it was given back
  owner TEXT NOT NULL,
  beat INTEGER NOT NULL,
  checkpoint TEXT,
  is_end INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (mapping, shard)
) WITHOUT ROWID;
`;

const held = `mapping = ? AND shard = ? AND epoch = ? AND owner <> ''`;

/** Checkpoints in one SQLite file, for local mode: the same transitions as in Redis, each in a transaction that is on disk when its promise resolves. */
export class SqliteCheckpoints implements CheckpointStore {
  readonly #file: SqliteFile;

  /** @param path is made when it is missing, with its folder @throws Error when it can't be opened */
  constructor(path: string) {
    this.#file = new SqliteFile(path, schema);
  }

  claim(key: ShardKey, owner: string, seen: Seen): Promise<Claimed | null> {
    const { mapping, shard } = key;
    return this.#file.change(() => {
      const row = this.#file.get(
        'SELECT epoch, owner, beat, checkpoint FROM shards WHERE mapping = ? AND shard = ?',
        mapping,
        shard,
      );
      const isFree = row === undefined || row['owner'] === '' || row['owner'] === owner;
      if (!isFree && (row['epoch'] !== seen?.epoch || row['beat'] !== seen?.beat)) return null;
      const epoch = Number(row?.['epoch'] ?? 0) + 1;
      this.#file.run(
        `INSERT INTO shards (mapping, shard, epoch, owner, beat) VALUES (?, ?, ?, ?, 0)
         ON CONFLICT DO UPDATE SET epoch = excluded.epoch, owner = excluded.owner, beat = 0`,
        ...[mapping, shard, epoch, owner],
      );
      const checkpoint = row?.['checkpoint'];
      return { key, epoch, checkpoint: typeof checkpoint === 'string' ? checkpoint : null };
    });
  }

  beat(claims: readonly Claim[]): Promise<readonly Claim[]> {
    if (claims.length === 0) return Promise.resolve([]);
    return this.#file.change(() =>
      claims.filter(
        ({ key, epoch }) =>
          this.#file.run(`UPDATE shards SET beat = beat + 1 WHERE ${held}`, key.mapping, key.shard, epoch) === 0,
      ),
    );
  }

  save({ key, epoch }: Claim, checkpoint: string, isEnd: boolean): Promise<boolean> {
    const values = [checkpoint, isEnd ? 1 : 0, key.mapping, key.shard, epoch];
    const sql = `UPDATE shards SET checkpoint = ?, is_end = ?, beat = beat + 1 WHERE ${held}`;
    return this.#file.change(() => this.#file.run(sql, ...values) > 0);
  }

  release({ key, epoch }: Claim): Promise<boolean> {
    const sql = `UPDATE shards SET owner = '' WHERE ${held}`;
    return this.#file.change(() => this.#file.run(sql, key.mapping, key.shard, epoch) > 0);
  }

  rows(mappings: readonly string[]): Promise<readonly ShardRow[]> {
    const sql = 'SELECT shard, epoch, owner, beat, is_end FROM shards WHERE mapping = ? ORDER BY shard';
    return this.#file.change(() =>
      mappings.flatMap((mapping) =>
        this.#file.all(sql, mapping).map(({ shard, epoch, owner, beat, is_end: isEnd }) => ({
          key: { mapping, shard: String(shard) },
          epoch: Number(epoch),
          owner: String(owner),
          beat: Number(beat),
          isEnd: isEnd === 1,
        })),
      ),
    );
  }

  mappings(): Promise<readonly string[]> {
    return this.#file.change(() =>
      this.#file.all('SELECT DISTINCT mapping FROM shards').map(({ mapping }) => String(mapping)),
    );
  }

  async forget(mapping: string): Promise<void> {
    await this.#file.change(() => this.#file.run('DELETE FROM shards WHERE mapping = ?', mapping));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
