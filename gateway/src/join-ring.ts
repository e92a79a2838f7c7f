import type { KeyObject } from 'node:crypto';

import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import type { GatewayConfig } from './config.ts';
import type { DispatchClock } from './dispatch/options.ts';
import { type Ownership, soleOwner } from './dispatch/ownership.ts';
import type { Dispatcher, Target } from './dispatch/types.ts';
import { watchMembers } from './ring/members.ts';
import { startRing } from './ring/ring.ts';
import type { RingStats } from './ring/ring-options.ts';

/** This gateway among the others. */
export interface Membership {
  readonly ownership: Ownership;
  /** Where requests go: to the own dispatcher or to an owner elsewhere. */
  readonly router: Pick<Dispatcher, 'invoke'>;
  /** Own zone; empty while unknown. */
  readonly zone: () => string;
  /** Why callers should not come yet; empty = they should. */
  readonly notReadyBecause: () => readonly string[];
  /** null when there are no others. */
  readonly stats: () => RingStats | null;
  /** Says goodbye: the others take over what is owned here; callers of this gateway are served on. */
  readonly leave: () => void;
  readonly stop: () => Promise<void>;
}

/** What {@link joinRing} works with. */
export interface JoinDeps {
  readonly config: Pick<GatewayConfig, 'peerService' | 'peerPort' | 'podIp' | 'namespace' | 'zone'>;
  readonly gatewayId: string;
  readonly signingKey: KeyObject;
  readonly kubernetes: Pick<Kubernetes, 'watch'>;
  readonly clock: DispatchClock;
  /** Looked at only after the start: it is made with the membership's ownership. */
  readonly dispatcher: () => Dispatcher;
  readonly targetOf: (versionUid: string) => Target | undefined;
  readonly onProblem: (key: string, error: unknown) => void;
  /** It cannot be reached by the others: it must not go on. */
  readonly onFatal: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Joins the gateways that stand behind the peers' Service, or stands alone where none is named (local mode). */
export function joinRing(deps: JoinDeps): Membership {
  const { config, gatewayId, dispatcher } = deps;
  if (config.peerService === '') return alone(deps);
  const ring = startRing({
    gatewayId,
    signingKey: deps.signingKey,
    listen: { host: config.podIp, port: config.peerPort },
    members: watchMembers({
      kubernetes: deps.kubernetes,
      namespace: config.namespace,
      service: config.peerService,
      defaultPort: config.peerPort,
      signal: deps.signal,
    }),
    clock: deps.clock,
    dispatcher: { invoke: (target, invocation, options) => dispatcher().invoke(target, invocation, options) },
    targetOf: deps.targetOf,
    load: () => dispatcher().load(),
    onChange: () => dispatcher().onRing(),
    onProblem: deps.onProblem,
  });
  ring.whenListening.catch(deps.onFatal);
  return {
    ownership: ring,
    router: ring.router,
    zone: () => ring.zone,
    notReadyBecause: () => (ring.isIntroduced ? [] : ['the other gateways are not known yet']),
    stats: () => ring.stats(),
    leave: () => ring.leave(),
    stop: () => ring.stop(),
  };
}

function alone({ config, gatewayId, dispatcher }: JoinDeps): Membership {
  return {
    ownership: soleOwner(gatewayId),
    router: { invoke: (target, invocation) => dispatcher().invoke(target, invocation) },
    zone: () => config.zone,
    notReadyBecause: () => [],
    stats: () => null,
    leave: () => undefined,
    stop: () => Promise.resolve(),
  };
}
