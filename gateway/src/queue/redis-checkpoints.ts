import type {
  CheckpointStore,
  Claim,
  Claimed,
  Seen,
  ShardKey,
  ShardRow,
} from '../event-sources/checkpoints/checkpoint-store.ts';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';

/** Mappings that one script looks at: Redis does nothing else meanwhile. */
const MAPPINGS_AT_ONCE = 100;
/** Claims of one sign of life. */
const CLAIMS_AT_ONCE = 500;

/**
 * Checkpoints in Redis 7 or Valkey, on a connection of their own. Each transition is one script of `lua/shard-*.lua`. What fences (claims) and what
 * would otherwise be run again (checkpoints) is on a replica, too, where there is one.
 *
 * @see docs/adr/0014-event-sources.md
 */
export class RedisCheckpoints implements CheckpointStore {
  readonly #redis: RedisConnection;

  constructor(options: RedisConnectionOptions) {
    this.#redis = new RedisConnection(options);
  }

  async claim({ mapping, shard }: ShardKey, owner: string, seen: Seen): Promise<Claimed | null> {
    const args = [mapping, shard, owner, seen?.epoch ?? '', seen?.beat ?? ''];
    const answer = await this.#redis.runReplicated(this.#redis.scripts['shard-claim'], args);
    if (answer === null) return null;
    const [epoch, checkpoint] = listOf(answer);
    return {
      key: { mapping, shard },
      epoch: Number(epoch),
      checkpoint: checkpoint == null ? null : textOf(checkpoint),
    };
  }

  async beat(claims: readonly Claim[]): Promise<readonly Claim[]> {
    const lost: Claim[] = [];
    for (const some of inPortions(claims, CLAIMS_AT_ONCE)) {
      const args = some.flatMap(({ key, epoch }) => [key.mapping, key.shard, epoch]);
      const places = listOf(await this.#redis.run(this.#redis.scripts['shard-beat'], args)).map(Number);
      lost.push(...some.filter((_, at) => places.includes(at)));
    }
    return lost;
  }

  async save({ key, epoch }: Claim, checkpoint: string, isEnd: boolean): Promise<boolean> {
    const args = [key.mapping, key.shard, epoch, checkpoint, isEnd ? '1' : ''];
    return (await this.#redis.runReplicated(this.#redis.scripts['shard-save'], args)) === 1;
  }

  async release({ key, epoch }: Claim): Promise<boolean> {
    const args = [key.mapping, key.shard, epoch];
    return (await this.#redis.runReplicated(this.#redis.scripts['shard-release'], args)) === 1;
  }

  async rows(mappings: readonly string[]): Promise<readonly ShardRow[]> {
    const rows: ShardRow[] = [];
    for (const some of inPortions(mappings, MAPPINGS_AT_ONCE)) {
      const answer = await this.#redis.run(this.#redis.scripts['shard-rows'], some);
      rows.push(...listOf(answer).map((row) => parseRow(listOf(row).map(textOf))));
    }
    return rows;
  }

  async mappings(): Promise<readonly string[]> {
    return listOf(await this.#redis.run(this.#redis.scripts['shard-mappings'], [])).map(textOf);
  }

  async forget(mapping: string): Promise<void> {
    await this.#redis.run(this.#redis.scripts['shard-forget'], [mapping]);
  }

  close(): Promise<void> {
    this.#redis.close();
    return Promise.resolve();
  }
}

function parseRow([
  mapping = '',
  shard = '',
  epoch = '',
  owner = '',
  beat = '',
  isEnd = '',
]: readonly string[]): ShardRow {
  return { key: { mapping, shard }, epoch: Number(epoch), owner, beat: Number(beat), isEnd: isEnd === '1' };
}

function inPortions<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}

function listOf(answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) throw new Error('Redis gave no list');
  return answer;
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : value == null ? '' : String(value);
}
