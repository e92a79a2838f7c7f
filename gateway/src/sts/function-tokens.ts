import type { KeyObject } from 'node:crypto';

import { deriveKey, Seal } from './seal.ts';

/** Whose function it is that a token belongs to. */
export interface FunctionOwner {
  readonly accountId: string;
  /** IAM's name of the function's role. */
  readonly roleName: string;
  /** The function. */
  readonly subject: string;
}

/** What {@link FunctionTokens} works with. */
export interface FunctionTokensDeps {
  /** The private key that all gateways of the install have. */
  readonly installKey: KeyObject;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** A token is taken for so long. */
const LIFE_MS = 3_600_000;
/** And given out for so long: one that a call begins with outlasts the longest call. */
const FRESH_MS = 900_000;

/**
 * What functions prove to STS whose they are with. Tokens of ServiceAccounts by the API server would need the right to be any ServiceAccount of
 * the cluster, and a cold start would wait for it: so the install seals its own, and only its STS takes them.
 */
export class FunctionTokens {
  readonly #now: () => number;
  readonly #seal: Seal;

  constructor({ installKey, now }: FunctionTokensDeps) {
    this.#now = now;
    this.#seal = new Seal(deriveKey(installKey, 'kappa function tokens'));
  }

  /** Makes the function that gives a function's token: the same text until it begins to get old. */
  tokensOf(owner: FunctionOwner): () => string {
    let last = { token: '', atMs: Number.NEGATIVE_INFINITY };
    return () => {
      const nowMs = this.#now();
      if (nowMs - last.atMs >= FRESH_MS || nowMs < last.atMs)
        last = { token: this.#seal.close({ ...owner, expiresAtMs: nowMs + LIFE_MS }), atMs: nowMs };
      return last.token;
    };
  }

  /** Null = it is no such token, or its time is over. */
  ownerOf(token: string): FunctionOwner | null {
    const { accountId, roleName, subject, expiresAtMs } = Object(this.#seal.open(token) ?? {});
    const texts: readonly unknown[] = [accountId, roleName, subject];
    if (!texts.every((text) => typeof text === 'string') || !(expiresAtMs > this.#now())) return null;
    return { accountId, roleName, subject };
  }
}
