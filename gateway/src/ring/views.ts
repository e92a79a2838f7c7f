/** Ids (lives) of gateways. */
export type View = ReadonlySet<string>;

interface PastView {
  readonly ids: Set<string>;
  /** It binds until then. */
  untilMs: number;
}

/** Past views that are kept apart at most; above that the voter abstains for a while. */
const MAX_PAST = 16;

/**
 * What this gateway says as a voter: which gateways it believes to be alive, now and during the last `waitMs`. Pure: time is
 * handed in, monotonic milliseconds of this gateway.
 *
 * A vote is an answer to a candidate's RING that lists all of these views. It is a vote for function f if the candidate is f's first
 * owner in **every** listed view, and counts for less than `waitMs` from when the candidate sent the RING.
 * So two votes of one voter for f and for different candidates are at least `waitMs` apart: the view that was current at the
 * first one is listed at the second one. No function needs a state of its own, and functions whose first owner is the same
 * before and after a change lose nothing.
 *
 *   event                                  | current        | past
 *   start                                  | {}             | [{}]: abstains until `admit` and `waitMs` after the start
 *   set(ids)                               | ids            | + the former current one, for waitMs
 *   forget(id): silent for waitMs, or said | without id     | without id: there is no live vote for it that could clash, and
 *     itself that it holds nothing         |                |   without it the others' first owner is the same as before
 *   time passes                            |                | - those that have run out
 *
 * The list begins with the empty view, so a new life, which knows nothing of the votes of its former one, abstains until those have run out.
 */
export class Views {
  readonly #waitMs: number;
  #current: Set<string> = new Set();
  #past: PastView[];
  #listing: readonly (readonly string[])[] | null = null;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
    this.#past = [{ ids: new Set(), untilMs: Number.POSITIVE_INFINITY }];
  }

  /** From `untilMs` on this voter no longer abstains. Said once. */
  admit(untilMs: number): void {
    for (const past of this.#past) if (past.untilMs === Number.POSITIVE_INFINITY) past.untilMs = untilMs;
  }

  get current(): View {
    return this.#current;
  }

  /** These are alive from now on. Returns whether anything changed. */
  set(ids: Iterable<string>, nowMs: number): boolean {
    const next = new Set(ids);
    if (isSame(next, this.#current)) return false;
    this.#past = this.#past.filter(({ untilMs }) => nowMs < untilMs);
    this.#remember(this.#current, nowMs + this.#waitMs);
    this.#current = next;
    this.#listing = null;
    return true;
  }

  /** Takes an id out of all views; see the class. Returns whether it was in one. */
  forget(id: string): boolean {
    let wasThere = this.#current.has(id);
    if (wasThere) {
      this.#current = new Set(this.#current);
      this.#current.delete(id);
    }
    for (const past of this.#past) wasThere = past.ids.delete(id) || wasThere;
    if (wasThere) this.#listing = null;
    return wasThere;
  }

  /** The views that bind at `nowMs`, the current one first. The same array as long as nothing changes. */
  list(nowMs: number): readonly (readonly string[])[] {
    if (this.#past.some(({ untilMs }) => nowMs >= untilMs)) {
      this.#past = this.#past.filter(({ untilMs }) => nowMs < untilMs);
      this.#listing = null;
    }
    this.#listing ??= distinct([this.#current, ...this.#past.map(({ ids }) => ids)]);
    return this.#listing;
  }

  #remember(view: View, untilMs: number): void {
    const same = this.#past.find(({ ids }) => isSame(ids, view));
    if (same !== undefined) same.untilMs = Math.max(same.untilMs, untilMs);
    else if (this.#past.length < MAX_PAST) this.#past.push({ ids: new Set(view), untilMs });
    // Fails closed: an empty view makes this voter abstain.
    else this.#past = [{ ids: new Set(), untilMs: Math.max(untilMs, ...this.#past.map((past) => past.untilMs)) }];
  }
}

function distinct(views: readonly View[]): readonly (readonly string[])[] {
  const byText = new Map(views.map((view) => [...view].sort()).map((ids) => [ids.join(), ids]));
  return [...byText.values()];
}

function isSame(a: View, b: View): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
