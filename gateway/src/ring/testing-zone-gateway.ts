import { startDispatcher } from '../dispatch/dispatcher.ts';
import { SimConnection } from '../dispatch/testing-sim-connection.ts';
import type { Dispatcher, Invocation, Outcome, Target } from '../dispatch/types.ts';
import { ServiceException } from '../errors.ts';
import type { Pulse } from '../link/link.ts';
import { Elsewhere } from './forward-messages.ts';
import { defaultRingLimits } from './limits.ts';
import { Roles } from './roles.ts';
import { askIdle, type LocalDispatch, type RoutingRing, routedInvoke } from './router.ts';
import type { City } from './testing-zones.ts';

/** A gateway that was not heard for so long has lost what it was given: see PeerConnection. */
const LOST_MS = 5000;

/** A link to an agent whose heartbeats get no answer from a dark zone. */
export class ZoneLink extends SimConnection {
  isDark = false;
  #missed = 0;

  override beat(): Pulse {
    this.#missed = this.isDark ? this.#missed + 1 : 0;
    if (this.#missed <= 2) return 'well';
    return this.#missed === 3 ? 'suspect' : 'lost';
  }
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
  /** Its process stands still until then. */
  pausedUntilMs = 0;
  readonly #city: City;

  constructor(city: City, zone: string) {
    super(`gateway-${zone}.00000001`, defaultRingLimits, () => city.nowMs);
    this.zone = zone;
    this.#city = city;
    this.dispatcher = startDispatcher(city.dispatchOptions(this));
    this.router = routedInvoke(this, this.dispatcher);
  }

  askIdle(target: Target, invocation: Invocation): Promise<Outcome | null> {
    return askIdle(this, this.others(target), target, invocation);
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
        city.send(to, this, () => {
          if (!to.isDead && this.pending.delete(lose)) settle();
        });
      city.send(this, to, () => {
        if (to.isDead) return;
        to.dispatcher.invoke(target, invocation, onlyIdle ? { onlyIdle, isForwarded: true } : undefined).then(
          (outcome) => back(() => resolve(outcome)),
          (error: Error) => back(() => reject('kind' in error ? new Elsewhere('NoIdleSlot', error.message) : error)),
        );
      });
    });
  }

  /** Runs it now, or when the process goes on. */
  whenAwake(run: () => void): void {
    if (this.#city.nowMs < this.pausedUntilMs) this.#city.after(this.pausedUntilMs - this.#city.nowMs, run);
    else run();
  }

  beat(): void {
    if (this.isDead) return;
    const isChanged = this.tick(this.dispatcher.load(), () => {
      for (const to of this.#city.gateways) {
        if (to === this) continue;
        const ring = this.core.say(0, this.nowMs());
        this.#city.send(this, to, () => {
          if (!to.isDead) to.core.received(this.gatewayId, ring, this.nowMs());
        });
      }
    });
    for (const [lose, { to }] of this.pending) {
      if (this.core.heardAgo(to.name, this.nowMs()).ms < LOST_MS) continue;
      this.pending.delete(lose);
      lose();
    }
    if (isChanged) this.dispatcher.onRing();
  }
}
