import type { Claim, ShardRow } from '../checkpoints/checkpoint-store.ts';
import { isReady } from '../checkpoints/plan-start.ts';
import type { Shard } from '../record.ts';
import { type Held, keyOf } from './held.ts';
import type { Holding, OwnedMapping } from './owned-mapping.ts';
import { BEAT_MS, type ClaimPlan, GIVE_UP_MS, planClaims, type Sighting } from './plan-claims.ts';
import { findStuck, isSourceStuck } from './plan-watch.ts';
import type { ShardOwnerDeps } from './shard-owner-deps.ts';

/** How often it is looked whose shards are whose. */
const ROUND_MS = 1_000;

/**
 * Holds the shards that are this gateway's: claims those that the ring gives it, shows signs of life, gives up what the ring gives to others, and
 * lets fall what it has lost. `planClaims` decides; this does what it says. The store may be away: then nothing is claimed, pollers begin nothing
 * after 4 s, and all goes on when it is back, unless somebody else was faster.
 */
export class ShardOwner {
  readonly #deps: ShardOwnerDeps;
  readonly #mappings = new Map<string, OwnedMapping>();
  readonly #held = new Map<string, Held>();
  /** Others may have their shards, and their last batches end here. */
  readonly #ending = new Set<Held>();
  /** By mapping, then by shard. */
  #sightings = new Map<string, ReadonlyMap<string, Sighting>>();
  readonly #over = new AbortController();
  /** When it was asked first what it has not answered; null = it has answered. */
  #awaySinceMs: number | null = null;
  #isStopping = false;
  #onIdle: (() => void)[] = [];

  constructor(deps: ShardOwnerDeps) {
    this.#deps = deps;
  }

  /** Begins, once. */
  start(): void {
    void this.#repeat(ROUND_MS, () => this.#round());
    void this.#repeat(BEAT_MS, () => this.#beat());
  }

  /** Its shards are read from now on; in place of another one with the same uid, whose shards are given up first. */
  add(mapping: OwnedMapping): void {
    this.#mappings.set(mapping.uid, mapping);
  }

  /** Its shards are given up. Nothing happens when another one stands in its place already. */
  remove(mapping: OwnedMapping): void {
    if (this.#mappings.get(mapping.uid) === mapping) this.#mappings.delete(mapping.uid);
  }

  /** Resolves when no shard of this one is held any more. */
  async whenGivenUp(mapping: OwnedMapping): Promise<void> {
    while (this.#heldOf(mapping).length > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Shards of a mapping that are held here, those that are being given up included. */
  heldShards(mapping: OwnedMapping): readonly string[] {
    return [...new Set(this.#heldOf(mapping).map(({ claim }) => claim.key.shard))];
  }

  /** The store has not answered for so long that nothing may be begun. */
  get isStoreAway(): boolean {
    return this.#awaySinceMs !== null && this.#deps.clock.nowMs() - this.#awaySinceMs > GIVE_UP_MS;
  }

  /** Gives up everything, and claims nothing more. */
  stop(): void {
    this.#isStopping = true;
    for (const held of this.#held.values()) this.#giveUp(held);
  }

  /** Resolves when nothing is held; for after `stop`. */
  async whenIdle(): Promise<void> {
    while (this.#held.size + this.#ending.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Ends it; what is held then is taken by others when it has not moved for a while. */
  end(): void {
    this.stop();
    this.#over.abort();
    for (const held of this.#all()) held.poller.abandon();
  }

  async #repeat(ms: number, work: () => Promise<void>): Promise<void> {
    const { clock, onProblem } = this.#deps;
    const { signal } = this.#over;
    while (!signal.aborted) {
      await work().catch(onProblem);
      await clock.sleep(ms, signal).catch(() => undefined);
    }
  }

  async #round(): Promise<void> {
    this.#throwAwayStuck();
    for (const held of this.#held.values()) if (!this.#isWanted(held)) this.#giveUp(held);
    if (this.#isStopping || this.#mappings.size === 0) return;
    const rows = await this.#rows([...this.#mappings.keys()]);
    if (rows === null) return;
    const before = this.#sightings;
    this.#sightings = new Map();
    for (const mapping of this.#mappings.values()) {
      if (mapping.isDoubtful) this.#doubt(mapping);
      else await this.#roundOf(mapping, rows.get(mapping.uid) ?? [], before.get(mapping.uid) ?? new Map());
    }
  }

  async #roundOf(
    mapping: OwnedMapping,
    rows: readonly ShardRow[],
    before: ReadonlyMap<string, Sighting>,
  ): Promise<void> {
    const plan = this.#plan(mapping, rows, before);
    this.#sightings.set(mapping.uid, plan.sightings);
    for (const shard of plan.giveUp) this.#giveUpShard(mapping, shard);
    for (const wanted of plan.claim) await this.#claim(mapping, wanted);
  }

  #isWanted({ mapping, claim }: Held): boolean {
    return !this.#isStopping && this.#mappings.get(claim.key.mapping) === mapping;
  }

  /** By mapping; null = the store is away, and what was seen before says nothing any more: owners could not show signs of life either. */
  async #rows(uids: readonly string[]): Promise<ReadonlyMap<string, readonly ShardRow[]> | null> {
    const askedMs = this.#deps.clock.nowMs();
    try {
      const rows = Map.groupBy(await this.#deps.store.rows(uids), ({ key }) => key.mapping);
      this.#awaySinceMs = null;
      return rows;
    } catch (error) {
      this.#awaySinceMs ??= askedMs;
      this.#sightings = new Map();
      this.#deps.onProblem(error);
      return null;
    }
  }

  #plan(mapping: OwnedMapping, rows: readonly ShardRow[], before: ReadonlyMap<string, Sighting>): ClaimPlan {
    const { self, ranksFirst, clock } = this.#deps;
    const { uid, shards } = mapping;
    const byShard = new Map(rows.map((row) => [row.key.shard, row]));
    const ended = new Set(rows.filter(({ isEnd }) => isEnd).map(({ key }) => key.shard));
    const held = [...this.#held.values()]
      .filter((each) => each.mapping === mapping)
      .map(({ claim }) => claim.key.shard);
    const gone = held.filter((id) => !shards.some((shard) => shard.id === id)); // the source shows it no more: it is read to its end
    const situations = [...shards, ...gone.map((id): Shard => ({ id, parents: [] }))].map((shard) => ({
      shard: shard.id,
      isMine: ranksFirst(`esm/${uid}/${shard.id}`),
      isReady: isReady(shard, { shards, ended }),
      isHeld: this.#held.has(`${uid} ${shard.id}`),
      row: byShard.get(shard.id) ?? null,
    }));
    return planClaims(situations, { self, before, nowMs: clock.nowMs() });
  }

  async #claim(mapping: OwnedMapping, { shard: id, seen }: ClaimPlan['claim'][number]): Promise<void> {
    const { store, self, clock, onProblem, observer } = this.#deps;
    const shard = mapping.shards.find((each) => each.id === id);
    if (shard === undefined || this.#isStopping) return;
    const sentMs = clock.nowMs();
    const claimed = await store.claim({ mapping: mapping.uid, shard: id }, self, seen).catch((error: unknown) => {
      onProblem(error); // it may have been claimed: the next round sees this life as its owner, and claims it again
      return null;
    });
    if (claimed === null) return;
    const { checkpoint, ...claim } = claimed;
    const key = `${mapping.uid} ${id}`;
    const holding: Holding = {
      claim,
      checkpoint,
      mayBegin: () => this.#mayBegin(key, claim),
      save: (text, isEnd) => this.#save(key, claim, { text, isEnd }),
    };
    const isWanted = !this.#isStopping && this.#mappings.get(mapping.uid) === mapping;
    const poller = isWanted ? mapping.begin(shard, holding) : null;
    if (poller === null) {
      await store.release(claim).catch(onProblem);
      return;
    }
    this.#held.set(key, { mapping, claim, poller, confirmedMs: sentMs, isLeaving: false });
    if (seen !== null) observer.takenOver(mapping.uid);
  }

  async #beat(): Promise<void> {
    const { store, clock } = this.#deps;
    const all = [...this.#held.values()];
    if (all.length === 0) return;
    const sentMs = clock.nowMs();
    const lost = new Set(await store.beat(all.map(({ claim }) => claim)));
    for (const held of all) {
      if (!this.#isHeld(held)) continue; // it was let go meanwhile
      if (lost.has(held.claim)) this.#throwAway(held);
      else held.confirmedMs = Math.max(held.confirmedMs, sentMs);
    }
  }

  async #save(key: string, claim: Claim, { text, isEnd }: { text: string; isEnd: boolean }): Promise<boolean> {
    const sentMs = this.#deps.clock.nowMs();
    const isKept = await this.#deps.store.save(claim, text, isEnd);
    const held = this.#held.get(key);
    if (held?.claim !== claim) return isKept;
    if (isKept) held.confirmedMs = Math.max(held.confirmedMs, sentMs);
    else this.#throwAway(held);
    return isKept;
  }

  #mayBegin(key: string, claim: Claim): boolean {
    const held = this.#held.get(key);
    return held?.claim === claim && this.#deps.clock.nowMs() - held.confirmedMs <= GIVE_UP_MS;
  }

  #giveUpShard(mapping: OwnedMapping, shard: string): void {
    const held = this.#held.get(`${mapping.uid} ${shard}`);
    if (held?.mapping === mapping) this.#giveUp(held);
  }

  /** What runs ends first. It is held until then, or until its poller says that others may have it. */
  #giveUp(held: Held): void {
    if (held.isLeaving) return;
    held.isLeaving = true;
    let freed = Promise.resolve();
    const onFree = (): void => {
      freed = this.#free(held);
    };
    void held.poller.giveUp(onFree).then(async () => {
      await freed;
      if (this.#isHeld(held)) await this.#release(held);
      this.#forget(held);
    });
  }

  async #free(held: Held): Promise<void> {
    if (!this.#isHeld(held)) return; // lost meanwhile
    this.#held.delete(keyOf(held));
    this.#ending.add(held);
    await this.#release(held);
  }

  /** When it fails, it is free when it has not moved for a while. */
  async #release({ claim }: Held): Promise<void> {
    await this.#deps.store.release(claim).catch(this.#deps.onProblem);
  }

  #lose(held: Held): void {
    held.poller.abandon();
    this.#forget(held);
  }

  #doubt(mapping: OwnedMapping): void {
    const held = this.#heldOf(mapping);
    for (const each of held) this.#giveUp(each);
    if (held.length === 0) mapping.reopen();
  }

  /** It is claimed again, from its checkpoint. When it hangs in its source, so is all else that is read over the same connection. */
  #throwAwayStuck(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const held of this.#all()) {
      const { mapping, poller } = held;
      const { watched } = poller;
      if (!this.#isHere(held) || findStuck(watched, nowMs).length === 0) continue;
      this.#deps.observer.restarted(mapping.uid);
      this.#throwAway(held, isSourceStuck(watched, nowMs));
    }
  }

  /** Of a mapping with one shard the connection goes with it: a queue gives what it had to others then. */
  #throwAway(held: Held, isSourceAtFault = false): void {
    const { mapping } = held;
    const isAll = isSourceAtFault || mapping.shards.length <= 1;
    for (const each of isAll ? this.#heldOf(mapping) : [held]) this.#lose(each);
    if (isAll) mapping.reopen();
  }

  #forget(held: Held): void {
    if (this.#isHeld(held)) this.#held.delete(keyOf(held));
    this.#ending.delete(held);
    for (const call of this.#onIdle.splice(0)) call();
  }

  #isHeld(held: Held): boolean {
    return this.#held.get(keyOf(held)) === held;
  }

  #isHere(held: Held): boolean {
    return this.#isHeld(held) || this.#ending.has(held);
  }

  #all(): readonly Held[] {
    return [...this.#held.values(), ...this.#ending];
  }

  #heldOf(mapping: OwnedMapping): readonly Held[] {
    return this.#all().filter((held) => held.mapping === mapping);
  }
}
