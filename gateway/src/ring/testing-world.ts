import { RingCore } from './core.ts';
import { defaultRingLimits } from './limits.ts';
import type { Member } from './members.ts';
import type { RingMessage } from './messages.ts';

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface SimulatedGateway {
  readonly name: string;
  core: RingCore;
  /** Local milliseconds per true one. */
  rate: number;
  offsetMs: number;
  isRunning: boolean;
  isPaused: boolean;
  /** What came in while it was paused. */
  backlog: (() => void)[];
  /** What its informer shows comes so much later. */
  informerLagMs: number;
  informerFreeMs: number;
}

/** How a world behaves. */
export interface WorldOptions {
  readonly seed: number;
  /** Clocks run at 1 ± this. */
  readonly drift: number;
  /** Longest usual delay of a message. */
  readonly delayMs: number;
  /** Share of messages that are lost. */
  readonly loss: number;
  /** Share of messages that come up to three seconds later. */
  readonly stray: number;
}

const calm: Omit<WorldOptions, 'seed'> = { drift: 0.05, delayMs: 5, loss: 0, stray: 0 };

/** Gateways, a network, clocks and a Kubernetes that shows members late, in simulated true time. One seed, one history. */
export class World {
  readonly keys: readonly string[];
  readonly random: () => number;
  readonly gateways = new Map<string, SimulatedGateway>();
  /** What the API server says. */
  readonly truth = new Map<string, boolean>();
  /** `from>to`: nothing gets through. */
  readonly cut = new Set<string>();
  nowMs = 0;
  /** Contradictions; must stay empty. */
  readonly problems: string[] = [];
  #options: WorldOptions;
  readonly #events: { atMs: number; order: number; run: () => void }[] = [];
  readonly #history = new Map<string, { last: string; seen: Set<string> }>();
  readonly #splits = new Set<(name: string) => boolean>();
  #order = 0;
  #lives = 0;

  constructor(options: Partial<WorldOptions> & { readonly seed: number }, keyCount = 6) {
    this.#options = { ...calm, ...options };
    this.random = seeded(options.seed);
    this.keys = [...Array(keyCount).keys()].map((at) => `default/f${at}`);
  }

  /** From now on the network is as it should be; clocks go on as they did. */
  calm(): void {
    this.#options = { ...this.#options, delayMs: calm.delayMs, loss: 0, stray: 0 };
    this.cut.clear();
    this.#splits.clear();
  }

  /** Calls back after so long in true time. */
  at(delayMs: number, run: () => void): void {
    this.#order += 1;
    const event = { atMs: this.nowMs + delayMs, order: this.#order, run };
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#events[middle];
      if (other !== undefined && other.atMs <= event.atMs) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
  }

  run(durationMs: number, each: () => void = () => {}): void {
    const endMs = this.nowMs + durationMs;
    for (let event = this.#events[0]; event !== undefined && event.atMs <= endMs; event = this.#events[0]) {
      this.#events.shift();
      this.nowMs = event.atMs;
      event.run();
      this.check();
      each();
    }
    this.nowMs = endMs;
  }

  /** A pod appears in the API; its process starts later. */
  add(name: string, startsInMs = 0): void {
    this.truth.set(name, false);
    this.publish();
    this.at(startsInMs, () => this.start(name));
  }

  /** A new life of the process. */
  start(name: string): void {
    if (!this.truth.has(name) || this.gateways.has(name)) return;
    this.#lives += 1;
    const { drift } = this.#options;
    const rate = 1 + drift * (2 * this.random() - 1);
    const offsetMs = this.random() * 1e6;
    const id = `${name}.${String(this.#lives).padStart(8, '0')}`;
    const core = new RingCore(id, defaultRingLimits, offsetMs + this.nowMs * rate);
    const gateway: SimulatedGateway = {
      name,
      core,
      rate,
      offsetMs,
      isRunning: true,
      isPaused: false,
      backlog: [],
      informerLagMs: 0,
      informerFreeMs: 0,
    };
    this.gateways.set(name, gateway);
    this.at(this.random() * 200, () => {
      const members = this.#members(); // a list is consistent, only a watch lags
      this.#deliver(gateway, 0, () => core.setMembers(members, this.localMs(gateway)));
    });
    this.#tick(gateway);
  }

  kill(name: string): void {
    const gateway = this.gateways.get(name);
    if (gateway !== undefined) gateway.isRunning = false;
    this.gateways.delete(name);
  }

  pause(name: string, durationMs: number): void {
    const gateway = this.gateways.get(name);
    if (gateway === undefined || gateway.isPaused) return;
    gateway.isPaused = true;
    this.at(durationMs, () => {
      gateway.isPaused = false;
      const { backlog } = gateway;
      gateway.backlog = [];
      for (const run of backlog) if (gateway.isRunning) run();
    });
  }

  /** SIGTERM after a while, the end of the process later, then the pod is gone from the API. */
  terminate(name: string, leavesInMs: number, endsInMs: number): void {
    this.truth.set(name, true);
    this.publish();
    this.at(leavesInMs, () => {
      const gateway = this.gateways.get(name);
      if (gateway !== undefined) this.#deliver(gateway, 0, () => gateway.core.leave(this.localMs(gateway)));
    });
    this.at(leavesInMs + endsInMs, () => {
      this.kill(name);
      this.truth.delete(name);
      this.publish();
    });
  }

  /** The present truth is on its way to every informer, in order. */
  publish(): void {
    const members = this.#members();
    for (const gateway of this.gateways.values()) {
      const atMs = Math.max(this.nowMs + this.random() * 100 + gateway.informerLagMs, gateway.informerFreeMs);
      gateway.informerFreeMs = atMs;
      this.at(atMs - this.nowMs, () =>
        this.#deliver(gateway, 0, () => gateway.core.setMembers(members, this.localMs(gateway))),
      );
    }
  }

  localMs({ offsetMs, rate }: SimulatedGateway): number {
    return offsetMs + this.nowMs * rate;
  }

  /** Nothing passes between the two sides for a while; who comes later is on the side where it is put. */
  split(isInside: (name: string) => boolean, durationMs: number): void {
    this.#splits.add(isInside);
    this.at(durationMs, () => this.#splits.delete(isInside));
  }

  /** Names of those that hold a key's term now. */
  holders(key: string): readonly string[] {
    return [...this.gateways.values()]
      .filter((gateway) => !gateway.isPaused && gateway.core.terms.number(key, this.localMs(gateway)) !== null)
      .map(({ name }) => name);
  }

  /** Notes who holds what. A term that was seen, then another one, must never be seen again. */
  check(): void {
    for (const gateway of this.gateways.values()) {
      if (gateway.isPaused) continue;
      for (const key of this.keys) {
        if (this.random() < 0.3) continue; // not always asked: a term must not go on over a gap that nobody saw
        const number = gateway.core.terms.number(key, this.localMs(gateway));
        if (number !== null) this.#note(key, `${gateway.core.gatewayId}#${number}`);
      }
    }
  }

  #note(key: string, term: string): void {
    const history = this.#history.get(key) ?? { last: '', seen: new Set<string>() };
    this.#history.set(key, history);
    if (history.last === term) return;
    if (history.seen.has(term)) {
      this.problems.push(`seed ${this.#options.seed}, ${this.nowMs} ms: ${key} by ${term} after ${history.last}`);
    }
    history.seen.add(term);
    history.last = term;
  }

  #members(): readonly Member[] {
    return [...this.truth]
      .map(([name, terminating]) => ({ name, ip: name, port: 1, zone: '', terminating }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #deliver(gateway: SimulatedGateway, delayMs: number, run: () => void): void {
    this.at(delayMs, () => {
      if (!gateway.isRunning) return;
      if (gateway.isPaused) gateway.backlog.push(run);
      else run();
    });
  }

  #tick(gateway: SimulatedGateway): void {
    if (!gateway.isRunning) return;
    const tick = (): void => {
      const { core } = gateway;
      core.tick({ accounts: new Map(), calls: new Map(), running: new Map() }, this.localMs(gateway));
      for (const { name } of core.others) this.#ask(gateway, name);
      this.at(defaultRingLimits.heartbeatMs / gateway.rate, () => this.#tick(gateway));
    };
    if (gateway.isPaused) gateway.backlog.push(tick);
    else tick();
  }

  /** A RING there, its answer back. A connection belongs to two lives. */
  #ask(from: SimulatedGateway, name: string): void {
    const to = this.gateways.get(name);
    if (to === undefined) return;
    const ring = from.core.say(0, this.localMs(from));
    this.#send(from, to, ring, () => this.#send(to, from, to.core.say(ring.seq, this.localMs(to)), () => {}));
  }

  #send(from: SimulatedGateway, to: SimulatedGateway, ring: RingMessage, then: () => void): void {
    const { delayMs, loss, stray } = this.#options;
    const isSplit = [...this.#splits].some((isInside) => isInside(from.name) !== isInside(to.name));
    if (isSplit || this.cut.has(`${from.name}>${to.name}`) || this.random() < loss) return;
    const delay = this.random() < stray ? this.random() * 3000 : this.random() * delayMs;
    this.#deliver(to, delay, () => {
      to.core.received(from.core.gatewayId, structuredClone(ring), this.localMs(to));
      then();
    });
  }
}
