import { generateKeyPairSync } from 'node:crypto';
import type { DispatchOptions } from '../dispatch/options.ts';
import { deafCluster, deafObserver } from '../dispatch/testing.ts';
import { SimAgent } from '../dispatch/testing-sim-agent.ts';
import type { PoolPod, Target } from '../dispatch/types.ts';
import { defaultRingLimits } from './limits.ts';
import { ZoneGateway, ZoneLink } from './testing-zone-gateway.ts';

const { privateKey } = generateKeyPairSync('ed25519');
/** One way between two processes. */
const WIRE_MS = 1;
/** A pool's generic pods of a zone, made up again so long after a claim. */
const GENERIC_PER_ZONE = 2;
const POD_START_MS = 1500;

interface Pod {
  readonly agent: SimAgent;
  readonly zone: string;
  versionUid: string | null;
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
      this.#every(gateway, defaultRingLimits.heartbeatMs, () => gateway.beat(), at * 30);
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

  /** Pods that hold a function, where, and the gateways that hold them. */
  claimed(): readonly { readonly uid: string; readonly zone: string; readonly holder: string }[] {
    return this.#pods.flatMap(({ zone, agent: { uid, claim, holder } }) =>
      claim === null ? [] : [{ uid, zone, holder: holder?.gatewayId ?? '' }],
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

  /** Something goes from one gateway to another, unless one of their zones is dark. */
  send(from: ZoneGateway, to: ZoneGateway, arrive: () => void): void {
    this.after(WIRE_MS, () => {
      if (from.zone !== this.#dark && to.zone !== this.#dark) to.whenAwake(arrive);
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
      cluster: { ...deafCluster, claimed: (pod, target) => this.#claimed(pod, target) },
      observer: deafObserver,
      code: async () => Buffer.alloc(0),
      clock: {
        nowMs: () => this.nowMs,
        after: (delayMs, call) => this.after(delayMs, () => gateway.whenAwake(call)),
        every: (periodMs, call) => this.#every(gateway, periodMs, call),
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

  /** An interval timer; after a pause it fires once. */
  #every(gateway: ZoneGateway, periodMs: number, call: () => void, firstMs = periodMs): () => void {
    const again = (): void => {
      const leftMs = gateway.pausedUntilMs - this.nowMs;
      cancel = this.after(leftMs > 0 ? leftMs : periodMs, again);
      if (leftMs <= 0) call();
    };
    let cancel = this.after(firstMs, again);
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
      for (const link of gateway.links) this.#pump(gateway, link);
    }
  }

  /** What is on a link arrives one wire later, in order; what is on a dark one never does. */
  #pump(gateway: ZoneGateway, link: ZoneLink): void {
    const send = (arrive: () => void): void => void this.after(WIRE_MS, () => (link.isDark ? undefined : arrive()));
    for (const arrive of link.toAgent.splice(0)) send(arrive);
    for (const arrive of link.toGateway.splice(0)) send(() => gateway.whenAwake(arrive));
  }
}
