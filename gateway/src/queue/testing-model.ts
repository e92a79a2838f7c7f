import type { LeasedEvent, Settlement } from './event-queue.ts';
import { startMs } from './testing.ts';

/** What one step of a history does; numbers choose among what there is, so that most steps meet something. */
export type Step =
  | { readonly kind: 'put'; readonly id: number }
  | { readonly kind: 'lease'; readonly gateway: 0 | 1; readonly count: number; readonly leaseMs: number }
  | { readonly kind: 'renew'; readonly lease: number; readonly ms: number }
  | { readonly kind: 'settle'; readonly lease: number; readonly how: Settlement['kind']; readonly ms: number }
  | { readonly kind: 'replay' | 'drop'; readonly id: number }
  | { readonly kind: 'wait'; readonly ms: number };

interface ModelEvent {
  state: 'waiting' | 'leased' | 'dead';
  atMs: number;
  acceptedMs: number;
  attempts: number;
  token: string | null;
}

/** The queue as it should be, in a few lines without any store: the answer of each step, and what is left. */
export class ModelQueue {
  readonly events = new Map<string, ModelEvent>();
  nowMs = startMs;

  put(id: string): void {
    if (this.events.has(id)) return;
    this.events.set(id, { state: 'waiting', atMs: this.nowMs, acceptedMs: this.nowMs, attempts: 0, token: null });
  }

  /** Ids that a lease has to give, in order. */
  due(count: number): readonly string[] {
    for (const event of this.events.values()) {
      if (event.state === 'leased' && event.atMs <= this.nowMs)
        Object.assign(event, { state: 'waiting', atMs: this.nowMs, token: null });
    }
    return [...this.events]
      .filter(([, { state, atMs }]) => state === 'waiting' && atMs <= this.nowMs)
      .sort(([idA, a], [idB, b]) => a.atMs - b.atMs || (idA < idB ? -1 : 1))
      .slice(0, count)
      .map(([id]) => id);
  }

  /** Takes over the token that the store made. @throws Error when someone else holds a lease that has not run out */
  took({ lease: { id, token }, leasedUntilMs }: LeasedEvent): void {
    const event = this.events.get(id);
    if (event === undefined) throw new Error(`${id} came back from nowhere`);
    if (event.state !== 'waiting') throw new Error(`${id} is run by two: it was ${event.state}`);
    Object.assign(event, { state: 'leased', atMs: leasedUntilMs, token });
  }

  renew({ lease: { id, token } }: LeasedEvent, untilMs: number): boolean {
    const event = this.events.get(id);
    if (event?.token !== token) return false;
    event.atMs = untilMs;
    return true;
  }

  settle({ lease: { id, token } }: LeasedEvent, settlement: Settlement): boolean {
    const event = this.events.get(id);
    if (event?.token !== token) return false;
    if (settlement.kind === 'done') return this.events.delete(id);
    const isDead = settlement.kind === 'dead';
    const { attempts } = settlement.progress;
    Object.assign(event, { state: isDead ? 'dead' : 'waiting', attempts, token: null });
    event.atMs = isDead ? settlement.atMs : settlement.dueMs;
    return true;
  }

  replay(id: string): boolean {
    const event = this.events.get(id);
    if (event?.state !== 'dead') return false;
    Object.assign(event, { state: 'waiting', atMs: this.nowMs, acceptedMs: this.nowMs, attempts: 0 });
    return true;
  }

  drop(id: string): boolean {
    const event = this.events.get(id);
    return event !== undefined && event.state !== 'leased' && this.events.delete(id);
  }
}
