import type { Target } from '../dispatch/types.ts';

/** What the warm-up works with. */
export interface WarmUpDeps {
  /** Brings a version's code, or one of its layers, into memory. */
  readonly readCode: (sha256: string) => Promise<unknown>;
  /** Larger code is read when it is needed, bytes. */
  readonly maxCodeBytes: number;
}

/**
 * Reads code and environment of a version as soon as it is known, so that its first call finds both in memory: a cold start without the
 * disk, and one that works while the API server, where Secrets are, is away. One version at a time; what fails is tried again, and told, by the first
 * call that needs it.
 */
export class WarmUp {
  readonly #deps: WarmUpDeps;
  /** Versions that were looked at and are still current, by uid. */
  #seen = new Set<string>();
  readonly #waiting = new Map<string, Target>();
  #isRunning = false;

  constructor(deps: WarmUpDeps) {
    this.#deps = deps;
  }

  /** Takes the versions that may be called now; those not seen before are read in the background. */
  onVersions(current: ReadonlyMap<string, Target>): void {
    for (const [uid, target] of current) if (!this.#seen.has(uid)) this.#waiting.set(uid, target);
    for (const uid of this.#waiting.keys()) if (!current.has(uid)) this.#waiting.delete(uid);
    this.#seen = new Set(current.keys());
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (const [uid, target] of this.#waiting) {
      this.#waiting.delete(uid);
      await this.#read(target);
    }
    this.#isRunning = false;
  }

  async #read(target: Target): Promise<void> {
    const zips =
      target.image !== undefined ? [] : [{ sha256: target.codeSha256, bytes: target.codeBytes }, ...target.layers];
    const small = zips.filter(({ bytes }) => bytes <= this.#deps.maxCodeBytes);
    await Promise.allSettled([...small.map(({ sha256 }) => this.#deps.readCode(sha256)), target.environment()]);
  }
}
