import { functionKeyOf } from './ownership.ts';
import { isProvisioning } from './provisioned.ts';
import {
  type CorePod,
  type CoreRequest,
  nextSlotState,
  noSlots,
  runningIn,
  type Slot,
  type SlotEvent,
} from './slot.ts';
import type { DispatchLoad, Target } from './types.ts';
import { type AccountState, FunctionState, VersionState } from './version-state.ts';

/**
 * Who exists and how many: every count of dispatch is kept here, in one place, so that
 * allocated = claiming + starting + idle + busy + finishing + adopting + foreign holds by construction.
 */
export class Census<P extends CorePod, R extends CoreRequest> {
  /** Slots by state over all versions. `Gone` counts those that ended. */
  readonly totals = noSlots();
  /** Requests that wait, over all versions and for whatever, and the bytes of their events. */
  queuedCount = 0;
  queuedBytes = 0;
  /** Of the requests that wait those that wait at a limit, see LimitQueue, and the bytes of their events. */
  linedCount = 0;
  linedBytes = 0;
  /** Requests that are not settled. */
  outstanding = 0;
  /** Versions by uid, only those that have something to remember. */
  readonly #versions = new Map<string, VersionState<P, R>>();
  /** By namespace/name, only those with a version above. */
  readonly #functions = new Map<string, FunctionState<P, R>>();
  readonly #accounts = new Map<string, AccountState>();
  /** Own zone at this moment. */
  readonly #zone: () => string;
  /** What may get calls; null until it was said for the first time. */
  #current: ReadonlyMap<string, Target> | null = null;

  constructor(zone: () => string) {
    this.#zone = zone;
  }

  versions(): IterableIterator<VersionState<P, R>> {
    return this.#versions.values();
  }

  /** The version with that uid, if it has a state; with null all of them, as they are now. */
  select(versionUid: string | null): readonly VersionState<P, R>[] {
    if (versionUid === null) return [...this.#versions.values()];
    const known = this.#versions.get(versionUid);
    return known === undefined ? [] : [known];
  }

  /** Versions of that function that have a state, as they are now. */
  versionsOf(functionKey: string): readonly VersionState<P, R>[] {
    return [...(this.#functions.get(functionKey)?.versions ?? [])];
  }

  /** A version of that function that has a state runs in that pool. */
  usesPool(functionKey: string, pool: string): boolean {
    for (const { target } of this.#functions.get(functionKey)?.versions ?? []) if (target.pool === pool) return true;
    return false;
  }

  /** @see DispatchLoad */
  load(): DispatchLoad {
    const accounts = new Map<string, number>();
    const calls = new Map<string, number>();
    for (const [id, { outstanding, letIn }] of this.#accounts) {
      if (outstanding > 0) accounts.set(id, outstanding);
      if (letIn > 0) calls.set(id, letIn);
    }
    const running = new Map<string, number>();
    for (const [key, owner] of this.#functions) if (owner.running > 0) running.set(key, owner.running);
    return { accounts, calls, running };
  }

  accounts(): IterableIterator<AccountState> {
    return this.#accounts.values();
  }

  get versionCount(): number {
    return this.#versions.size;
  }

  /** The state of a version, made when it has none. */
  version(target: Target): VersionState<P, R> {
    const known = this.#versions.get(target.versionUid);
    if (known !== undefined) {
      if (known.target !== target) this.#retarget(known, target);
      return known;
    }
    const owner = this.#function(target);
    const version = new VersionState(target.versionUid, target, owner, this.#zone);
    version.isCurrent = this.#current?.has(target.versionUid) ?? true;
    this.#versions.set(version.uid, version);
    owner.versions.add(version);
    this.#setCap(owner, target.reservedConcurrency);
    return version;
  }

  /** Forgets a version that has nothing to remember. */
  forgetIfUnused(version: VersionState<P, R>): void {
    const isKept = version.isCurrent && version.target.provisionedConcurrency > 0;
    const isWaitedFor = version.queue.length > 0 || version.isOffering;
    if (version.slots.size > 0 || isWaitedFor || version.failures > 0 || isKept || version.owner.line !== null) return;
    this.#versions.delete(version.uid);
    version.owner.versions.delete(version);
    if (version.owner.versions.size === 0) this.#functions.delete(version.owner.key);
  }

  setVersions(current: ReadonlyMap<string, Target>): void {
    this.#current = current;
    const caps = new Map<string, Target>();
    for (const target of current.values()) {
      if (target.reservedConcurrency !== null) caps.set(functionKeyOf(target), target);
      if (target.provisionedConcurrency > 0) this.version(target);
    }
    for (const account of this.#accounts.values()) account.reserved = 0;
    for (const target of caps.values()) this.#account(target.accountId).reserved += target.reservedConcurrency ?? 0;
    for (const version of this.#versions.values()) {
      const target = current.get(version.uid);
      version.isCurrent = target !== undefined;
      if (target !== undefined && target !== version.target) this.#retarget(version, target);
    }
  }

  /** A request was admitted. */
  entered({ owner }: VersionState<P, R>): void {
    this.outstanding += 1;
    owner.outstanding += 1;
    if (owner.cap !== null) return;
    owner.account.outstanding += 1;
    owner.account.letIn += 1;
  }

  /** A request was settled. */
  left({ owner }: VersionState<P, R>): void {
    this.outstanding -= 1;
    owner.outstanding -= 1;
    if (owner.cap === null) owner.account.outstanding -= 1;
  }

  /** A request waits at a limit; it was not admitted. */
  lined({ owner }: VersionState<P, R>, { bytes }: R): void {
    this.#countLined(owner.account, 1, bytes);
  }

  /** It does not any more; it is admitted now, or settled. */
  unlined({ owner }: VersionState<P, R>, { bytes }: R): void {
    this.#countLined(owner.account, -1, -bytes);
  }

  queued(version: VersionState<P, R>, request: R): void {
    version.queue.push(request);
    this.#countQueued(version, 1, request.bytes);
  }

  /** Takes back a request that was given to a pod in vain: before all that came after it. */
  requeued(version: VersionState<P, R>, request: R): void {
    const { queue } = version;
    const earlier: R[] = [];
    for (let next = queue.peek(); next !== undefined && next.arrivedMs < request.arrivedMs; next = queue.peek()) {
      earlier.push(next);
      queue.shift();
    }
    queue.unshift(request);
    for (const each of earlier.reverse()) queue.unshift(each);
    this.#countQueued(version, 1, request.bytes);
  }

  dequeued(version: VersionState<P, R>): R | undefined {
    const request = version.queue.shift();
    if (request !== undefined) this.#countQueued(version, -1, -request.bytes);
    return request;
  }

  add(slot: Slot<P, R>): void {
    const { version, pod } = slot;
    const { owner } = version;
    version.slots.add(slot);
    version.counts[slot.state] += 1;
    this.totals[slot.state] += 1;
    owner.running += runningIn(slot.state);
    owner.slotsByZone.set(pod.zone, (owner.slotsByZone.get(pod.zone) ?? 0) + 1);
    if (slot.state === 'Idle') version.idle.push(slot);
    if (slot.state === 'Starting' || (slot.state === 'Claiming' && !isProvisioning(slot.state, version.target)))
      version.unconfirmed.add(slot);
  }

  /** The only place where a slot changes its state. */
  move(slot: Slot<P, R>, event: SlotEvent): void {
    const { version, state: from } = slot;
    const to = nextSlotState(from, event);
    slot.state = to;
    version.unconfirmed.delete(slot);
    version.counts[from] -= 1;
    this.totals[from] -= 1;
    version.counts[to] += 1;
    this.totals[to] += 1;
    version.owner.running += runningIn(to) - runningIn(from);
    if (to === 'Idle') version.idle.push(slot);
    if (to === 'Gone') this.#remove(slot, from === 'Idle');
  }

  /** Its pod is out of reach; what runs there, if anything, has ended at `deadlineMs`. */
  vanished(slot: Slot<P, R>, deadlineMs: number): void {
    slot.deadlineMs = Math.min(slot.deadlineMs, deadlineMs);
    this.move(slot, 'vanished');
    slot.request = null;
  }

  #remove(slot: Slot<P, R>, wasIdle: boolean): void {
    const { version, pod } = slot;
    slot.request = null;
    version.slots.delete(slot);
    if (wasIdle) version.idle.remove(slot);
    const { slotsByZone } = version.owner;
    const left = (slotsByZone.get(pod.zone) ?? 0) - 1;
    if (left > 0) slotsByZone.set(pod.zone, left);
    else slotsByZone.delete(pod.zone);
  }

  #countQueued(version: VersionState<P, R>, count: number, bytes: number): void {
    this.queuedCount += count;
    this.queuedBytes += bytes;
    version.queuedBytes += bytes;
  }

  #countLined(account: AccountState, count: number, bytes: number): void {
    account.linedBytes += bytes;
    this.outstanding += count;
    this.linedCount += count;
    this.linedBytes += bytes;
    this.queuedCount += count;
    this.queuedBytes += bytes;
  }

  #retarget(version: VersionState<P, R>, target: Target): void {
    version.target = target;
    this.#setCap(version.owner, target.reservedConcurrency);
  }

  /** A function with a cap leaves the account's common limit with what it runs, and the other way round. */
  #setCap(owner: FunctionState<P, R>, cap: number | null): void {
    if ((owner.cap === null) !== (cap === null)) {
      owner.account.outstanding += cap === null ? owner.outstanding : -owner.outstanding;
    }
    if (owner.cap !== cap) owner.calls = null;
    owner.cap = cap;
  }

  #function(target: Target): FunctionState<P, R> {
    const key = functionKeyOf(target);
    let owner = this.#functions.get(key);
    if (owner === undefined) {
      owner = new FunctionState(key, this.#account(target.accountId));
      this.#functions.set(key, owner);
    }
    return owner;
  }

  #account(accountId: string): AccountState {
    let account = this.#accounts.get(accountId);
    if (account === undefined) {
      account = { id: accountId, outstanding: 0, reserved: 0, letIn: 0, calls: null, lines: 0, linedBytes: 0 };
      this.#accounts.set(accountId, account);
    }
    return account;
  }
}
