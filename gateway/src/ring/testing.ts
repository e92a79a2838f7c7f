import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import { NotOwner } from '../dispatch/ownership.ts';
import { makeTarget } from '../dispatch/testing.ts';
import type { Invocation, Outcome, Target } from '../dispatch/types.ts';
import { answered } from '../testing.ts';
import type { RingLimits } from './limits.ts';
import type { Member } from './members.ts';
import { type Ring, type RingOptions, startRing } from './ring.ts';
import type { LocalDispatch } from './router.ts';

/** A key of an install. */
export function makeInstallKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

/** Real time; `freeze` makes the timers of one gateway stand still. */
export function makeClock(): RingOptions['clock'] & { isFrozen: boolean } {
  const clock = {
    isFrozen: false,
    nowMs: (): number => performance.now(),
    after: (delayMs: number, call: () => void) => {
      const timer = setTimeout(() => (clock.isFrozen ? undefined : call()), delayMs);
      return () => clearTimeout(timer);
    },
    every: (periodMs: number, call: () => void) => {
      const timer = setInterval(() => (clock.isFrozen ? undefined : call()), periodMs);
      return () => clearInterval(timer);
    },
    soon: (call: () => void): void => void setImmediate(call),
  };
  return clock;
}

/** How the receiver of a test gateway runs a request. */
export type Runner = (target: Target, invocation: Invocation, onlyIdle: boolean) => Promise<Outcome>;

/** One gateway of a test. */
export interface TestGateway {
  readonly name: string;
  readonly ring: Ring;
  readonly clock: ReturnType<typeof makeClock>;
  /** Request ids that ran here. */
  readonly ran: string[];
  readonly problems: string[];
  running: ReadonlyMap<string, number>;
  /** Default: answers with the gateway's name. */
  runner: Runner;
  /** What its informer shows now. */
  show(members: readonly Member[]): void;
  changes: number;
}

let lives = 0;

/** Several gateways in this process, over loopback sockets, that see each other at once. `stop` ends all. */
export class TestRing {
  readonly gateways = new Map<string, TestGateway>();
  readonly targets: Map<string, Target>;
  readonly #key = makeInstallKey();
  readonly #limits: Partial<RingLimits>;
  readonly #members = new Map<string, Member>();

  constructor(targets: readonly Target[], limits: Partial<RingLimits> = {}) {
    this.targets = new Map(targets.map((target) => [target.versionUid, target]));
    this.#limits = limits;
  }

  async start(
    name: string,
    options: { zone?: string; key?: KeyObject; answer?: (question: Buffer) => Promise<Buffer> } = {},
  ): Promise<TestGateway> {
    lives += 1;
    const clock = makeClock();
    let onMembers: (members: readonly Member[]) => void = () => {};
    const dispatcher: LocalDispatch = {
      invoke: async (target, invocation, how) => {
        const key = `${target.namespace}/${target.functionObjectName}`;
        if (target.reservedConcurrency !== null && gateway.ring.term(key) === null) throw new NotOwner(key);
        const outcome = await gateway.runner(target, invocation, how?.onlyIdle === true);
        gateway.ran.push(invocation.requestId);
        return outcome;
      },
    };
    const ring = startRing({
      gatewayId: `${name}.${String(lives).padStart(8, '0')}`,
      signingKey: options.key ?? this.#key,
      listen: { host: '127.0.0.1', port: 0 },
      members: (tell) => {
        onMembers = tell;
      },
      clock,
      dispatcher,
      targetOf: (uid) => this.targets.get(uid),
      load: () => ({ accounts: new Map([['000000000000', 1]]), calls: new Map(), running: gateway.running }),
      ...(options.answer && { answer: options.answer }),
      onChange: () => {
        gateway.changes += 1;
      },
      onProblem: (key) => gateway.problems.push(key),
      limits: this.#limits,
    });
    const gateway: TestGateway = {
      name,
      ring,
      clock,
      ran: [],
      problems: [],
      running: new Map(),
      runner: async () => answered(name),
      show: (members) => onMembers(members),
      changes: 0,
    };
    const port = await ring.whenListening;
    this.gateways.set(name, gateway);
    this.#members.set(name, { name, ip: '127.0.0.1', port, zone: options.zone ?? '', terminating: false });
    this.publish();
    return gateway;
  }

  /** Shows the present members to everybody. */
  publish(): void {
    const members = [...this.#members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const gateway of this.gateways.values()) gateway.show(members);
  }

  /** The process ends without a word; Kubernetes still shows it. */
  async kill(name: string): Promise<void> {
    const gateway = this.get(name);
    this.gateways.delete(name);
    await gateway.ring.stop();
  }

  /** Kubernetes no longer shows it. */
  remove(name: string): void {
    this.#members.delete(name);
    this.publish();
  }

  get(name: string): TestGateway {
    const gateway = this.gateways.get(name);
    if (gateway === undefined) throw new Error(`no gateway ${name}`);
    return gateway;
  }

  /** Waits until every gateway sees `count` of them and has admitted itself. */
  async settled(count = this.gateways.size): Promise<void> {
    await until(() =>
      [...this.gateways.values()].every(({ ring }) => {
        const { alive, linked, isAdmitted } = ring.stats();
        return alive === count && linked >= count - 1 && isAdmitted;
      }),
    );
  }

  async stop(): Promise<void> {
    for (const { ring } of this.gateways.values()) await ring.stop();
  }
}

/** A function of the namespace `default`. */
export function fn(name: string, over: Partial<Target> = {}): Target {
  return makeTarget({ versionUid: `uid-${name}`, functionObjectName: name, namespace: 'default', ...over });
}

let requests = 0;

/** One invocation. */
export function invocationOf(event: string | Buffer = '{}', over: Partial<Invocation> = {}): Invocation {
  requests += 1;
  return {
    requestId: `request-${requests}`,
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    event: Buffer.from(event),
    tail: false,
    ...over,
  };
}

/** Polls a condition; the deadline is an error. */
export async function until(holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not true in ${timeoutMs} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
