import type { Invocation, Outcome, Target } from './types.ts';

/** What dispatch asks of the ring of gateways. Synchronous and cheap: asked on the hot path. */
export interface Ownership {
  /** This process among gateways, new in each life; the same as the link's Identity.gatewayId. */
  readonly gatewayId: string;
  /** One of the function's owners, as this gateway sees the ring: it may claim and adopt pods of it. */
  isOwner(target: Target): boolean;
  /** One of several owners, each of which covers its own zone. Absent = no function has several. */
  isShared?(target: Target): boolean;
  /** Of all owners it is this one that takes over the function's pods of a zone when nobody holds them. Absent = any owner may. */
  isHeir?(target: Target, zone: string): boolean;
  /** Nothing was heard from a zone for a moment: its pods are chosen last. Absent = no zone is. Changes are told by onRing. */
  isDark?(zone: string): boolean;
  /** The first of them: it alone keeps provisioned concurrency. */
  isFirstOwner(target: Target): boolean;
  /** `gatewayId` is the present life of a live owner other than this one: its pods are left alone. */
  mayHold(target: Target, gatewayId: string): boolean;
  /** `gatewayId` is the present life of a live gateway, owner of something or not. Absent = all others count as live. */
  isLive?(gatewayId: string): boolean;
  /**
   * Functions with reserved concurrency: number of the present term, or null when this gateway may not dispatch the function now.
   * Changes with each term; two terms of one life never have the same number.
   * @param functionKey namespace/name, see {@link functionKeyOf}
   */
  term(functionKey: string): number | null;
  /** Unanswered requests of the account at the other gateways, as last heard; functions with reserved concurrency not counted. */
  outstandingElsewhere(accountId: string): number;
  /** Calls of the account that the other gateways let in, in the last second that they told of. Absent = none. */
  callsElsewhere?(accountId: string): number;
  /** Owners of the function, this gateway included. Absent = one. */
  ownerCount?(target: Target): number;
  /**
   * Runs a request that waits here on an idle pod of another owner. Null = none of them has one; it did not run. Absent = there are no others.
   */
  askIdle?(target: Target, invocation: Invocation): Promise<Outcome | null>;
  /** Of the gateways that live it is this one that comes first for a piece of work with this name; not while it leaves. Absent = never. */
  ranksFirst?(key: string): boolean;
  /** This gateway among those that live, in an order that all of them agree on; index -1 = it is leaving, or does not know them yet. */
  place(): { readonly index: number; readonly count: number };
}

/** A gateway without others (local mode): it owns everything, and its first term lasts as long as it lives. */
export function soleOwner(gatewayId: string): Ownership {
  return {
    gatewayId,
    isOwner: () => true,
    isFirstOwner: () => true,
    mayHold: () => false,
    isLive: (other) => other === gatewayId,
    term: () => 1,
    outstandingElsewhere: () => 0,
    ranksFirst: () => true,
    place: () => ({ index: 0, count: 1 }),
  };
}

/** The name of a function among gateways: `namespace/name` of its object. */
export function functionKeyOf({ namespace, functionObjectName }: Target): string {
  return `${namespace}/${functionObjectName}`;
}

/**
 * This gateway may not dispatch the (reserved) function now, or not any more; the request did not run. The router asks the
 * owner instead; no caller ever sees it.
 */
export class NotOwner extends Error {
  readonly kind = 'NotOwner';

  constructor(functionKey: string) {
    super(`this gateway has no term of ${functionKey}; the request did not run`);
    this.name = 'NotOwner';
  }
}

/** An `onlyIdle` request found no idle slot here; it did not run. No caller ever sees it. */
export class NoIdleSlot extends Error {
  readonly kind = 'NoIdleSlot';

  constructor(functionKey: string) {
    super(`no pod of ${functionKey} is idle here; the request did not run`);
    this.name = 'NoIdleSlot';
  }
}
