import type { KeyObject } from 'node:crypto';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import { type Ownership, soleOwner } from '../dispatch/ownership.ts';
import type { Dispatcher, Target } from '../dispatch/types.ts';
import { watchMembers } from '../ring/members.ts';
import { startRing } from '../ring/ring.ts';
import type { RingStats } from '../ring/ring-options.ts';
import { type Context, textOf } from './context.ts';

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
  /** Asks the other gateways ({@link JoinParts.answer}); one answer of each that gives one in time. */
  readonly askOthers: (question: Buffer) => Promise<readonly Buffer[]>;
  /** Says goodbye: the others take over what is owned here; callers of this gateway are served on. */
  readonly leave: () => void;
  readonly stop: () => Promise<void>;
}

/** What {@link joinRing} connects. */
export interface JoinParts {
  readonly signingKey: KeyObject;
  readonly kubernetes: Pick<Kubernetes, 'watch'>;
  /** Looked at only after the start: it is made with the membership's ownership. */
  readonly dispatcher: () => Dispatcher;
  readonly targetOf: (versionUid: string) => Target | undefined;
  /** Answers what other gateways ask; rejects a question that is none. */
  readonly answer: (question: Buffer) => Promise<Buffer>;
}

/**
 * Joins the gateways that stand behind the peers' Service, or stands alone where none is named (local mode). When the others cannot
 * reach it, the process ends.
 */
export function joinRing(context: Context, parts: JoinParts): Membership {
  const { config, gatewayId, clock, problem, fail } = context;
  const { dispatcher } = parts;
  if (config.peerService === '') return alone(context, dispatcher);
  const ring = startRing({
    gatewayId,
    signingKey: parts.signingKey,
    listen: { host: config.podIp, port: config.peerPort },
    members: watchMembers({
      kubernetes: parts.kubernetes,
      namespace: config.namespace,
      service: config.peerService,
      defaultPort: config.peerPort,
      signal: context.life.signal,
    }),
    clock,
    dispatcher: { invoke: (target, invocation, options) => dispatcher().invoke(target, invocation, options) },
    targetOf: parts.targetOf,
    load: () => dispatcher().load(),
    answer: parts.answer,
    onChange: () => dispatcher().onRing(),
    onProblem: (key, err) => problem(key, { problem: textOf(err) }, 'another gateway cannot be spoken to'),
  });
  ring.whenListening.catch((err: unknown) =>
    fail(err, { host: config.podIp, port: config.peerPort }, 'cannot listen for other gateways'),
  );
  return {
    ownership: ring,
    router: ring.router,
    zone: () => ring.zone,
    notReadyBecause: () => (ring.isIntroduced ? [] : ['the other gateways are not known yet']),
    stats: () => ring.stats(),
    askOthers: (question) => ring.ask(question),
    leave: () => ring.leave(),
    stop: () => ring.stop(),
  };
}

function alone({ config, gatewayId }: Context, dispatcher: () => Dispatcher): Membership {
  return {
    ownership: soleOwner(gatewayId),
    router: { invoke: (target, invocation) => dispatcher().invoke(target, invocation) },
    zone: () => config.zone,
    notReadyBecause: () => [],
    stats: () => null,
    askOthers: () => Promise.resolve([]),
    leave: () => undefined,
    stop: () => Promise.resolve(),
  };
}
