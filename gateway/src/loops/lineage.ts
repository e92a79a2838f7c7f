import type { LoopGuard } from './loop-guard.ts';
import { RecursiveInvocation } from './recursive-invocation.ts';

/** Runs of one function in one chain; the next one is stopped. As on Lambda. */
export const MAX_RUNS = 16;
/** Functions of one chain that have a count of their own. */
const MAX_FUNCTIONS = 64;
/** Counts the runs of all further ones together, so that a loop of any length ends and a lineage does not grow without end. */
const OTHERS = '00000000';
const MAX_OTHER_RUNS = MAX_RUNS * MAX_FUNCTIONS;
/** Counts stay here: a wanted loop may go on for ever. */
const MAX_COUNT = 999_999_999;

/** `ID:COUNT`; AWS's own are `DIGITS:ID:COUNT`, and are handed on as they are. */
const entry = /^((?:\d{1,4}:)?[\da-f]{1,16}):(\d{1,9})$/i;

/**
 * How often each function has run in the chain of invocations that led here, the first run not counted: what stands in
 * `Lineage=` of a trace id. It is all that is known of a chain: nothing is kept in a gateway, and a function that calls
 * another one twice begins two chains.
 */
export class Lineage {
  readonly #counts = new Map<string, number>();

  /** Adds what a header says, e.g. `a87bd80c:1|68fd508a:5`. Of a function that is there already the higher count stays. */
  read(text: string): void {
    for (const part of text.split('|')) {
      const [, id, count] = entry.exec(part.trim()) ?? [];
      if (id === undefined) continue;
      if (this.#counts.size > MAX_FUNCTIONS && !this.#counts.has(id)) continue; // no chain of ours is that long
      this.#counts.set(id, Math.max(Number(count), this.#counts.get(id) ?? 0));
    }
  }

  /**
   * Counts one more run.
   * @throws RecursiveInvocation when the function has had all its runs, unless it may loop
   */
  count(guard: LoopGuard): void {
    const isAlone = this.#counts.has(guard.id) || this.#counts.size < MAX_FUNCTIONS;
    const key = isAlone ? guard.id : OTHERS;
    const before = this.#counts.get(key);
    const runs = before === undefined ? 0 : before + 1;
    if (runs >= (isAlone ? MAX_RUNS : MAX_OTHER_RUNS) && !guard.mayLoop) {
      throw new RecursiveInvocation(guard, isAlone ? `it has run ${runs} times` : `there were ${runs} runs of others`);
    }
    this.#counts.set(key, Math.min(runs, MAX_COUNT));
  }

  /** As it stands after `Lineage=`. */
  toString(): string {
    return [...this.#counts].map(([id, count]) => `${id}:${count}`).join('|');
  }
}
