import type { Target } from './types.ts';

/** What limits the core from outside: the other gateways. Synchronous and cheap. */
export interface CoreRules {
  /** This gateway may still be given requests of that function (namespace/name), which has reserved concurrency. */
  hasTerm(functionKey: string): boolean;
  /** It may dispatch them at this moment: the term holds, and what earlier owners left is known. Implies `hasTerm`. */
  mayRun(functionKey: string): boolean;
  /** It is one of several owners of the function, and so covers its own zone. */
  isShared(target: Target): boolean;
  /** It is the one that keeps the function's provisioned concurrency. */
  isProvisioner(target: Target): boolean;
  /** Unanswered requests of the account at the other gateways. */
  outstandingElsewhere(accountId: string): number;
  /** Calls of the account that the other gateways let in, in the last second that they told of; without reserved concurrency. */
  callsElsewhere(accountId: string): number;
  /** Gateways that share what an account may have, this one included; at least 1. */
  gatewayCount(): number;
  /** Owners that share what the function may have, this one included; at least 1. */
  ownerCount(target: Target): number;
  /** Pools get new pods for those that are claimed; else what they have must do. */
  arePodsReplaced(): boolean;
}

/** A gateway that is alone. */
export const noRules: CoreRules = Object.freeze({
  hasTerm: () => true,
  mayRun: () => true,
  isShared: () => false,
  isProvisioner: () => true,
  outstandingElsewhere: () => 0,
  callsElsewhere: () => 0,
  gatewayCount: () => 1,
  ownerCount: () => 1,
  arePodsReplaced: () => true,
});
