import { generateKeyPairSync } from 'node:crypto';
import { LinkError } from '../link/link.ts';
import { startDispatcher } from './dispatcher.ts';
import type { LimitQueueRules } from './limits.ts';
import type { DispatchOptions } from './options.ts';
import { functionKeyOf, NotOwner, type Ownership } from './ownership.ts';
import { deafCluster, deafObserver, makeTarget } from './testing.ts';
import { SimAgent } from './testing-sim-agent.ts';
import { SimConnection } from './testing-sim-connection.ts';
import type { Dispatcher, PoolPod } from './types.ts';

/** The function with a hard cap of 2, and one without. */
export const capped = makeTarget({ versionUid: 'capped', functionObjectName: 'capped', reservedConcurrency: 2 });
export const free = makeTarget({ versionUid: 'free', functionObjectName: 'free' });
/** A term ends so long after it was renewed, unless it is renewed again. */
const LEASE_MS = 700;
/** Nothing is on its way for longer. */
const MAX_DELAY_MS = 250;
const { privateKey } = generateKeyPairSync('ed25519');

/** One gateway in one of its lives. */
export interface SimGateway {
  readonly id: string;
  readonly dispatcher: Dispatcher;
  isAlive: boolean;
  /** Its process gets no CPU: it neither sees time pass nor reads a socket. */
  isPaused: boolean;
  timers: { atMs: number; periodMs: number | null; call: () => void }[];
  soon: (() => void)[];
  readonly connections: SimConnection[];
}

/** What became of a request. */
export type Fate = 'waits' | 'answered' | 'failed' | 'not owner';

/**
 * Two gateways among simulated pods and under a simulated ring: time, deliveries, deaths and pauses happen when a test says so.
 * The ring gives the capped function to one gateway at a time: its term runs out LEASE_MS after it was renewed, and nobody else
 * gets one before. The other function belongs to the gateway `owner`.
 */
export class Sim {
  nowMs = 1_000;
  readonly agents: SimAgent[] = [];
  readonly gateways: SimGateway[] = [];
  readonly fates = new Map<string, Fate>();
  /** How often each request ran. */
  readonly runs = new Map<string, number>();
  /** Requests of the capped function that run at this moment; and the most there ever were. */
  readonly running = new Set<string>();
  maxOverlap = 0;
  /** Pods that a gateway cannot reach: `gateway pod`. */
  readonly cuts = new Set<string>();
  owner = 0;
  term: { number: number; holder: string; untilMs: number } = { number: 0, holder: '', untilMs: 0 };
  /** The function with a hard cap. */
  readonly capped: typeof capped;
  /** The one without. */
  readonly free: typeof free;
  readonly #labels = new Map<string, string>();
  #lives = 0;

  /**
   * @param limitQueue of the capped function
   * @param perInstance invocations that a pod takes at once
   */
  constructor(pods: number, limitQueue?: LimitQueueRules, perInstance = 1) {
    this.capped = { ...capped, perInstance, ...(limitQueue !== undefined && { limitQueue }) };
    this.free = { ...free, perInstance };
    for (let n = 0; n < pods; n += 1) {
      const truth = {
        started: (id: string, _pod: string, key: string) => this.#started(id, key),
        ended: (id: string) => void this.running.delete(id),
      };
      this.agents.push(new SimAgent(`pod-${n}`, truth, () => this.nowMs));
    }
    this.boot(0);
    this.boot(1);
  }

  /** The gateway that lives at that place. */
  at(place: number): SimGateway {
    const gateway = this.gateways[place];
    if (gateway === undefined) throw new Error(`no gateway ${place}`);
    return gateway;
  }

  boot(place: number): void {
    this.#lives += 1;
    const id = `gateway-${place}.${this.#lives}`;
    const timers: SimGateway['timers'] = [];
    const soon: SimGateway['soon'] = [];
    const connections: SimConnection[] = [];
    const dispatcher = startDispatcher(this.#options(id, place, { timers, soon, connections }));
    this.gateways[place] = { id, dispatcher, isAlive: true, isPaused: false, timers, soon, connections };
    dispatcher.onVersions(new Map([this.capped, this.free].map((target) => [target.versionUid, target])));
    for (const agent of this.agents) this.#show(this.at(place), agent);
  }

  /** The process ends at once; what it has written arrives. */
  kill(place: number): void {
    const gateway = this.at(place);
    gateway.isAlive = false;
    gateway.timers.length = 0;
    for (const connection of gateway.connections) connection.die();
    for (const [id, fate] of this.fates) if (fate === 'waits' && id.startsWith(`${gateway.id} `)) this.fates.delete(id);
    this.boot(place);
  }

  invoke(place: number, target: typeof capped, id: number): void {
    const gateway = this.at(place);
    if (gateway.isPaused) return;
    const requestId = `${gateway.id} ${id}`;
    this.fates.set(requestId, 'waits');
    const settle = (fate: Fate) => {
      if (gateway.isAlive) this.fates.set(requestId, fate);
    };
    gateway.dispatcher
      .invoke(target, { requestId, invokedFunctionArn: 'arn', event: Buffer.alloc(0), tail: false })
      .then(
        () => settle('answered'),
        (error: unknown) => settle(error instanceof NotOwner ? 'not owner' : 'failed'),
      );
  }

  /** Renews the term of its holder, or, when it has run out, gives a new one. */
  ring(place: number): void {
    const gateway = this.at(place);
    const isLive = this.nowMs < this.term.untilMs;
    if (isLive && this.term.holder !== gateway.id) return;
    if (gateway.isPaused) return;
    if (!isLive) {
      this.#settleOld(gateway);
      this.term = { number: this.term.number + 1, holder: gateway.id, untilMs: 0 };
    }
    this.term.untilMs = this.nowMs + LEASE_MS;
    this.owner = place;
    for (const each of this.gateways) if (!each.isPaused) each.dispatcher.onRing();
  }

  /** Delivers the oldest of what is on its way on one link, one way. */
  deliver(pick: number): void {
    const ways = this.#ways();
    ways[pick % Math.max(1, ways.length)]?.shift()?.();
    this.#settleSoon();
  }

  deliverAll(): void {
    for (let ways = this.#ways(); ways.length > 0; ways = this.#ways()) {
      for (const way of ways) way.shift()?.();
      this.#settleSoon();
    }
  }

  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(untilMs, this.nowMs + MAX_DELAY_MS);
      for (const agent of this.agents)
        while (agent.run !== null && this.nowMs - agent.run.sinceMs >= 3_000) agent.end();
      for (const gateway of this.gateways) if (!gateway.isPaused) this.#fire(gateway);
      this.deliverAll();
    }
  }

  /** A gateway and a pod that is labelled as claimed lose each other, or find each other again. */
  cut(place: number, pod: number): void {
    const gateway = this.at(place);
    const agent = this.agents[pod % this.agents.length];
    if (agent === undefined || !this.#labels.has(agent.uid)) return;
    const key = `${gateway.id} ${agent.uid}`;
    if (this.cuts.delete(key)) return;
    this.cuts.add(key);
    for (const connection of gateway.connections)
      if (connection.agent === agent) connection.close(new LinkError('Lost', 'cut'));
  }

  /** Lets promises settle. */
  async flush(): Promise<void> {
    for (let n = 0; n < 8; n += 1) await null;
    this.#settleSoon();
    for (let n = 0; n < 8; n += 1) await null;
  }

  #options(id: string, place: number, inside: Pick<SimGateway, 'timers' | 'soon' | 'connections'>): DispatchOptions {
    const after = (delayMs: number, call: () => void, periodMs: number | null = null) => {
      const timer = { atMs: this.nowMs + delayMs, periodMs, call };
      inside.timers.push(timer);
      return () => void inside.timers.splice(inside.timers.indexOf(timer), inside.timers.includes(timer) ? 1 : 0);
    };
    return {
      identity: { gatewayId: id, epoch: this.nowMs - place * 5_000, signingKey: privateKey },
      ownership: this.#ownership(id, place),
      cluster: { ...deafCluster, claimed: (pod, target) => this.#label(pod, target.versionUid) },
      observer: deafObserver,
      code: async () => Buffer.alloc(0),
      clock: {
        nowMs: () => this.nowMs,
        after: (delayMs, call) => after(delayMs, call),
        every: (periodMs, call) => after(periodMs, call, periodMs),
        soon: (call) => void inside.soon.push(call),
      },
      zone: '',
      linkPort: 0,
      dial: (address, identity, _clock, owner) => {
        const agent = this.agents.find((each) => each.uid === address.podUid);
        if (agent === undefined || this.cuts.has(`${id} ${agent.uid}`))
          return after(10, () => owner.failed(new LinkError('Unreachable', 'cut')));
        const connection = new SimConnection(agent, identity, owner);
        inside.connections.push(connection);
        return () => connection.close();
      },
    };
  }

  #ownership(gatewayId: string, place: number): Ownership {
    const isLive = (other: string) => this.gateways.some((each) => each.id === other);
    return {
      gatewayId,
      isOwner: () => this.owner === place,
      isFirstOwner: () => this.owner === place,
      mayHold: (_target, other) => other !== gatewayId && this.gateways[this.owner]?.id === other,
      isLive,
      term: (key) => {
        if (key !== functionKeyOf(capped)) return null;
        return this.term.holder === gatewayId && this.nowMs < this.term.untilMs ? this.term.number : null;
      },
      outstandingElsewhere: () => 0,
      place: () => ({ index: place, count: this.gateways.length }),
    };
  }

  #label(pod: PoolPod, versionUid: string): void {
    this.#labels.set(pod.uid, versionUid);
    const agent = this.agents.find((each) => each.uid === pod.uid);
    if (agent !== undefined) for (const gateway of this.gateways) this.#show(gateway, agent);
  }

  #show(gateway: SimGateway, { uid }: SimAgent): void {
    const versionUid = this.#labels.get(uid) ?? null;
    gateway.dispatcher.onPod(`kappa-functions/${uid}`, {
      name: uid,
      uid,
      ip: '10.0.0.1',
      zone: '',
      pool: capped.runtime,
      ready: true,
      terminating: false,
      isOver: false,
      state: versionUid === null ? 'generic' : 'claimed',
      versionUid,
    });
  }

  #started(id: string, key: string): void {
    this.runs.set(id, (this.runs.get(id) ?? 0) + 1);
    if (key !== functionKeyOf(capped)) return;
    this.running.add(id);
    this.maxOverlap = Math.max(this.maxOverlap, this.running.size);
  }

  /** What an owner has sent to pods that the next one cannot reach arrives before the next one begins. */
  #settleOld(next: SimGateway): void {
    for (const gateway of this.gateways)
      for (const connection of gateway.connections) {
        const isLinked = next.connections.some((each) => each.isOpen && each.agent === connection.agent);
        if (!isLinked) for (const call of connection.toAgent.splice(0)) call();
      }
  }

  #ways(): (() => void)[][] {
    return this.gateways
      .flatMap(({ connections, isPaused }) =>
        connections.flatMap(({ toAgent, toGateway }) => [toAgent, ...(isPaused ? [] : [toGateway])]),
      )
      .filter((way) => way.length > 0);
  }

  #fire(gateway: SimGateway): void {
    for (const timer of [...gateway.timers]) {
      if (timer.atMs > this.nowMs || !gateway.timers.includes(timer)) continue;
      if (timer.periodMs === null) gateway.timers.splice(gateway.timers.indexOf(timer), 1);
      else timer.atMs = this.nowMs + timer.periodMs;
      timer.call();
    }
  }

  #settleSoon(): void {
    for (const gateway of this.gateways) {
      if (gateway.isPaused) continue;
      for (let call = gateway.soon.shift(); call !== undefined; call = gateway.soon.shift()) call();
    }
  }
}
