import { createHash } from 'node:crypto';

/** Two gateways whose numbers differ modulo this never make the same epoch. */
const RESIDUES = 64;

/**
 * Owner epochs of this gateway: each is higher than the wall clock and than every one it has seen, so the latest claim,
 * adoption or fence of a pod wins. A gateway's own clock being behind costs it one refusal, by which it learns.
 *
 * Epochs of two gateways should never be equal, because an equal one is not older: each gateway only makes those with its own
 * residue (of a hash of its id), which puts them at most 64 ms ahead.
 */
export class Epochs {
  readonly #wallMs: () => number;
  readonly #residue: number;
  #highest = 0;

  /** @param wallMs epoch milliseconds, about right */
  constructor(gatewayId: string, wallMs: () => number) {
    this.#wallMs = wallMs;
    this.#residue = createHash('sha256').update(gatewayId).digest().readUInt32BE(0) % RESIDUES;
  }

  /** Somebody uses that one. */
  saw(epoch: number | null | undefined): void {
    if (typeof epoch === 'number' && Number.isSafeInteger(epoch)) this.#highest = Math.max(this.#highest, epoch);
  }

  /** Higher than all before, whole. Worked, residue 5: highest seen 129, so 130 or more: 133 = 2 × 64 + 5. */
  next(): number {
    const least = Math.max(Math.floor(this.#wallMs()), this.#highest + 1);
    const next = least + ((this.#residue - (least % RESIDUES) + RESIDUES) % RESIDUES);
    this.#highest = next;
    return next;
  }
}
