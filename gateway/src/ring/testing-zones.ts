import { generateKeyPairSync } from 'node:crypto';
import { startDispatcher } from '../dispatch/dispatcher.ts';
import type { DispatchOptions } from '../dispatch/options.ts';
import { SimAgent, SimConnection } from '../dispatch/testing-sim-agent.ts';
import type { Dispatcher, Invocation, Outcome, PoolPod, Target } from '../dispatch/types.ts';
import { ServiceException } from '../errors.ts';
import type { Pulse } from '../link/link.ts';
import { Elsewhere } from './forward-messages.ts';
import { defaultRingLimits } from './limits.ts';
import { Roles } from './roles.ts';
import { type LocalDispatch, type RoutingRing, routedInvoke } from './router.ts';

const { privateKey } = generateKeyPairSync('ed25519');
/** One way between two processes. */
const WIRE_MS = 1;
/** A pool's generic pods of a zone, made up again so long after a claim. */
const GENERIC_PER_ZONE = 2;
const POD_START_MS = 1500;

/** A link to an agent whose heartbeats get no answer from a dark zone. */
class ZoneLink extends SimConnection {
  isDark = false;
  #missed = 0;

  override beat(): Pulse {
    this.#missed = this.isDark ? this.#missed + 1 : 0;
    if (this.#missed <= 2) return 'well';
    return this.#missed === 3 ? 'suspect' : 'lost';
  }
}

interface Pod {
  readonly agent: SimAgent;
  readonly zone: string;
  versionUid: string | null;
}

/** A gateway of a zone: its roles, its dispatcher, and links that come to a stand when one end goes dark. */
export class ZoneGateway extends Roles implements RoutingRing {
  readonly zone: string;
  readonly dispatcher: Dispatcher;
  readonly router: LocalDispatch;
  readonly links: ZoneLink[] = [];
  readonly retryMs = 50;
  readonly retryBudgetMs = 5000;
  /** Forwards without an answer: what ends them when the peer is given up. */
  readonly pending = new Map<() => void, { readonly id: string; readonly to: ZoneGateway }>();
  readonly soon: (() => void)[] = [];
  forwards = 0;
  isDead = false;
  readonly #city: City;

  constructor(city: City, zone: string) {
    super(`gateway-${zone}.00000001`, defaultRingLimits, () => city.nowMs);
    this.zone = zone;
    this.#city = city;
    this.dispatcher = startDispatcher(city.dispatchOptions(this));
    this.router = routedInvoke(this, this.dispatcher);
  }

  change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => this.#city.after(timeoutMs, resolve));
  }

  forward(name: string, target: Target, invocation: Invocation, onlyIdle: boolean): Promise<Outcome> {
    const city = this.#city;
    const to = city.gateways.find((each) => each.name === name);
    if (to === undefined || to.isDead || this.isQuiet(name)) return Promise.reject(new Elsewhere('NotSent', 'no link'));
    this.forwards += 1;
    return new Promise((resolve, reject) => {
      const lose = (): void => reject(new ServiceException('may have run'));
      this.pending.set(lose, { id: invocation.requestId, to });
      const back = (settle: () => void): void =>
        city.send(to.zone, this.zone, () => {
          if (!to.isDead && this.pending.delete(lose)) settle();
        });
      city.send(this.zone, to.zone, () => {
        if (to.isDead) return;
        to.dispatcher.invoke(target, invocation, onlyIdle ? { onlyIdle } : undefined).then(
          (outcome) => back(() => resolve(outcome)),
          (error: Error) => back(() => reject('kind' in error ? new Elsewhere('NoIdleSlot', error.message) : error)),
        );
      });
    });
  }

  beat(): void {
    if (this.isDead) return;
    const isChanged = this.tick(this.dispatcher.load(), () => {
      for (const to of this.#city.gateways) {
        if (to === this) continue;
        const ring = this.core.say(0, this.nowMs());
        this.#city.send(this.zone, to.zone, () => {
          if (!to.isDead) to.core.received(this.gatewayId, ring, this.nowMs());
        });
      }
    });
    for (const [lose, { to }] of this.pending) {
      if (!this.core.isSilent(to.name, this.nowMs())) continue;
      this.pending.delete(lose);
      lose();
    }
    if (isChanged) this.dispatcher.onRing();
  }
}

/** Zones with one gateway and some pods each, in simulated time; a zone can go dark. Real roles, routers and dispatchers. */
export class City {
  nowMs = 1000;
  readonly gateways: ZoneGateway[] = [];
  readonly targets: readonly Target[];
  /** Requests that run somewhere → the zone of their pod. */
  readonly running = new Map<string, string>();
  readonly ran = new Map<string, number>();
  readonly #holdMs: number;
  readonly #pods: Pod[] = [];
  readonly #events: { atMs: number; run: () => void }[] = [];
  #dark = '';

  constructor(zones: readonly string[], targets: readonly Target[], holdMs: number) {
    this.targets = targets;
    this.#holdMs = holdMs;
    for (const zone of zones) for (let at = 0; at < GENERIC_PER_ZONE; at += 1) this.#startPod(zone);
    for (const zone of zones) this.gateways.push(new ZoneGateway(this, zone));
    const members = this.gateways.map(({ name, zone }) => ({ name, ip: '', port: 1, zone, terminating: false }));
    for (const [at, gateway] of this.gateways.entries()) {
      gateway.core.setMembers(members, this.nowMs);
      gateway.dispatcher.onVersions(new Map(targets.map((target) => [target.versionUid, target])));
      for (const pod of this.#pods) this.#show(gateway, pod);
      this.#every(defaultRingLimits.heartbeatMs, () => gateway.beat(), at * 30);
    }
  }

  /** Nothing passes between that zone and the others from now on. */
  darken(zone: string): void {
    this.#dark = zone;
    for (const gateway of this.gateways) {
      for (const link of gateway.links) {
        const pod = this.#pods.find(({ agent }) => agent === link.agent);
        link.isDark = (gateway.zone === zone) !== (pod?.zone === zone);
      }
    }
  }

  /** The zone's gateway ends at once; its pods live on. */
  kill(gateway: ZoneGateway): void {
    gateway.isDead = true;
    for (const link of gateway.links.splice(0)) {
      link.die();
      for (const arrive of link.toAgent.splice(0)) arrive();
    }
    for (const { pending } of this.gateways) {
      for (const [lose, { to }] of pending) if (to === gateway && pending.delete(lose)) lose();
    }
  }

  /** Pods that hold a function, by zone and holder's name. */
  claimed(): readonly { readonly zone: string; readonly holder: string }[] {
    return this.#pods.flatMap(({ zone, agent }) =>
      agent.claim === null ? [] : [{ zone, holder: agent.holder?.gatewayId ?? '' }],
    );
  }

  after(delayMs: number, run: () => void): () => void {
    const event = { atMs: this.nowMs + delayMs, run };
    const at = this.#events.findLastIndex(({ atMs }) => atMs <= event.atMs) + 1;
    this.#events.splice(at, 0, event);
    return () => {
      event.run = () => {};
    };
  }

  /** Something goes from one zone to another, unless one of them is dark. */
  send(from: string, to: string, arrive: () => void): void {
    this.after(WIRE_MS, () => {
      if (from === to || (from !== this.#dark && to !== this.#dark)) arrive();
    });
  }

  /** Lets time go by, event by event, and everything that each one sets off. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.nowMs + durationMs;
    for (let event = this.#events[0]; event !== undefined && event.atMs <= endMs; event = this.#events[0]) {
      this.#events.shift();
      this.nowMs = event.atMs;
      event.run();
      await this.#settle();
    }
    this.nowMs = endMs;
  }

  dispatchOptions(gateway: ZoneGateway): DispatchOptions {
    return {
      identity: { gatewayId: gateway.gatewayId, epoch: this.nowMs, signingKey: privateKey },
      ownership: gateway,
      cluster: {
        claimed: (pod, target) => this.#claimed(pod, target),
        wantPods() {},
        awaited() {},
        reclaimed() {},
      },
      observer: {
        started() {},
        reported() {},
        throttled() {},
        failed() {},
        claimed() {},
        initFailed() {},
        reclaimed() {},
      },
      code: async () => Buffer.alloc(0),
      clock: {
        nowMs: () => this.nowMs,
        after: (delayMs, call) => this.after(delayMs, call),
        every: (periodMs, call) => this.#every(periodMs, call),
        soon: (call) => void gateway.soon.push(call),
      },
      zone: gateway.zone,
      linkPort: 0,
      dial: (address, identity, _clock, owner) => {
        const pod = this.#pods.find(({ agent }) => agent.uid === address.podUid);
        if (pod === undefined) throw new Error(`no pod ${address.podUid}`);
        const link = new ZoneLink(pod.agent, identity, owner);
        link.isDark = this.#dark !== '' && (gateway.zone === this.#dark) !== (pod.zone === this.#dark);
        gateway.links.push(link);
        return () => link.close();
      },
    };
  }

  #every(periodMs: number, call: () => void, firstMs = periodMs): () => void {
    let cancel = this.after(firstMs, () => again());
    const again = (): void => {
      cancel = this.after(periodMs, again);
      call();
    };
    return () => cancel();
  }

  #startPod(zone: string): Pod {
    const agent: SimAgent = new SimAgent(
      `pod-${this.#pods.length}`,
      {
        started: (id) => {
          this.running.set(id, zone);
          this.ran.set(id, (this.ran.get(id) ?? 0) + 1);
          this.after(this.#holdMs, () => agent.end());
        },
        ended: (id) => void this.running.delete(id),
      },
      () => this.nowMs,
    );
    const pod = { agent, zone, versionUid: null };
    this.#pods.push(pod);
    return pod;
  }

  #claimed({ uid }: PoolPod, target: Target): void {
    const pod = this.#pods.find(({ agent }) => agent.uid === uid);
    if (pod === undefined || pod.versionUid !== null) return;
    pod.versionUid = target.versionUid;
    for (const gateway of this.gateways) this.#show(gateway, pod);
    this.after(POD_START_MS, () => {
      const next = this.#startPod(pod.zone);
      for (const gateway of this.gateways) this.#show(gateway, next);
    });
  }

  #show(gateway: ZoneGateway, { agent: { uid }, zone, versionUid }: Pod): void {
    const state = versionUid === null ? ('generic' as const) : ('claimed' as const);
    const fixed = { ip: '10.0.0.1', pool: 'nodejs24.x', ready: true, terminating: false, isOver: false };
    gateway.dispatcher.onPod(`kappa-functions/${uid}`, { ...fixed, name: uid, uid, zone, state, versionUid });
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn += 1) await null;
    for (const gateway of this.gateways) {
      for (let call = gateway.soon.shift(); call !== undefined; call = gateway.soon.shift()) call();
      for (const link of gateway.links) this.#pump(link);
    }
  }

  /** What is on a link arrives one wire later, in order; what is on a dark one never does. */
  #pump(link: ZoneLink): void {
    for (const way of [link.toAgent, link.toGateway]) {
      for (const arrive of way.splice(0)) {
        this.after(WIRE_MS, () => {
          if (!link.isDark) arrive();
        });
      }
    }
  }
}
