import type { CheckpointStore, Claim, Claimed, Seen, ShardKey, ShardRow } from './checkpoint-store.ts';

interface Kept extends ShardRow {
  readonly checkpoint: string | null;
}

/** Checkpoints in memory. It passes the same table of tests as the real stores. */
export class MemoryCheckpoints implements CheckpointStore {
  readonly #rows: Map<string, Kept>;

  /** @param others another gateway's view: both see the same rows */
  constructor(others?: MemoryCheckpoints) {
    this.#rows = others === undefined ? new Map() : others.#rows;
  }

  async claim(key: ShardKey, owner: string, seen: Seen): Promise<Claimed | null> {
    const row = this.#rows.get(nameOf(key));
    const isFree = row === undefined || row.owner === '' || row.owner === owner;
    if (!isFree && (row.epoch !== seen?.epoch || row.beat !== seen?.beat)) return null;
    const next = {
      key,
      epoch: (row?.epoch ?? 0) + 1,
      owner,
      beat: 0,
      isEnd: row?.isEnd ?? false,
      checkpoint: row?.checkpoint ?? null,
    };
    this.#rows.set(nameOf(key), next);
    return { key, epoch: next.epoch, checkpoint: next.checkpoint };
  }

  async beat(claims: readonly Claim[]): Promise<readonly Claim[]> {
    return claims.filter((claim) => !this.#change(claim, ({ beat }) => ({ beat: beat + 1 })));
  }

  async save(claim: Claim, checkpoint: string, isEnd: boolean): Promise<boolean> {
    return this.#change(claim, ({ beat }) => ({ beat: beat + 1, checkpoint, isEnd }));
  }

  async release(claim: Claim): Promise<boolean> {
    return this.#change(claim, () => ({ owner: '' }));
  }

  async rows(mappings: readonly string[]): Promise<readonly ShardRow[]> {
    const rows = [...this.#rows.values()].filter(({ key }) => mappings.includes(key.mapping));
    return rows.map(({ checkpoint: _, ...row }) => row);
  }

  async mappings(): Promise<readonly string[]> {
    return [...new Set([...this.#rows.values()].map(({ key }) => key.mapping))];
  }

  async forget(mapping: string): Promise<void> {
    for (const [name, { key }] of this.#rows) if (key.mapping === mapping) this.#rows.delete(name);
  }

  async close(): Promise<void> {}

  #change({ key, epoch }: Claim, change: (row: Kept) => Partial<Kept>): boolean {
    const row = this.#rows.get(nameOf(key));
    if (row === undefined || row.epoch !== epoch || row.owner === '') return false;
    this.#rows.set(nameOf(key), { ...row, ...change(row) });
    return true;
  }
}

function nameOf({ mapping, shard }: ShardKey): string {
  return `${mapping} ${shard}`;
}
