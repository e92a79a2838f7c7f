import type { EventSourceMappingObject, EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import { type PushMapping, viewPush } from './push-mapping.ts';
import type { PushStatusWriter } from './push-status.ts';

/** A mapping as the watch brought it. */
export interface SeenMapping {
  /** null = it is polled. */
  readonly mapping: PushMapping | null;
  readonly status: EventSourceMappingStatus | null;
}

/** The projection of the watch. */
export function viewSeen(object: EventSourceMappingObject): SeenMapping {
  return { mapping: viewPush(object), status: object.status ?? null };
}

/** What {@link PushMappings} works with. */
export interface PushMappingsDeps {
  /** Of all gateways it is this one that writes the status of the mapping. */
  readonly isMine: (mapping: PushMapping) => boolean;
  /** The function exists, as far as is known. */
  readonly hasFunction: (mapping: PushMapping) => boolean;
  readonly writer: Pick<PushStatusWriter, 'tell' | 'forget'>;
  /** Is told of what is new in a spec. @param mapping null = it is gone, or polled */
  readonly onSpec: (key: string, mapping: PushMapping | null) => void;
}

/** All mappings that are not polled, and what is wrong with them. */
export class PushMappings {
  readonly #deps: PushMappingsDeps;
  /** By namespace/name. */
  readonly #seen = new Map<
    string,
    { readonly mapping: PushMapping; readonly status: EventSourceMappingStatus | null }
  >();
  /** By uid. */
  readonly #problems = new Map<string, string>();

  constructor(deps: PushMappingsDeps) {
    this.#deps = deps;
  }

  /** @param seen null = it is gone */
  set(key: string, seen: SeenMapping | null): void {
    const before = this.#seen.get(key)?.mapping;
    const mapping = seen?.mapping ?? null;
    if (before !== undefined && before.uid !== mapping?.uid) {
      this.#problems.delete(before.uid);
      this.#deps.writer.forget(before.uid);
    }
    if (mapping === null || seen === null) this.#seen.delete(key);
    else this.#seen.set(key, { mapping, status: seen.status });
    // a new status is no news to who works by the spec
    if (JSON.stringify(before ?? null) !== JSON.stringify(mapping)) this.#deps.onSpec(key, mapping);
    this.#tell(key);
  }

  /** @param key namespace/name */
  get(key: string): PushMapping | undefined {
    return this.#seen.get(key)?.mapping;
  }

  /** @param problem why it cannot be as it is written; null = it can */
  judge({ uid }: PushMapping, problem: string | null): void {
    if (problem === null) this.#problems.delete(uid);
    else this.#problems.set(uid, problem);
  }

  /** Brings the status of all that are this gateway's about; call it now and then. */
  tellAll(): void {
    for (const key of this.#seen.keys()) this.#tell(key);
  }

  #tell(key: string): void {
    const seen = this.#seen.get(key);
    if (seen === undefined || !this.#deps.isMine(seen.mapping)) return;
    const { mapping, status } = seen;
    const problem = this.#problems.get(mapping.uid) ?? null;
    void this.#deps.writer.tell(mapping, status, { problem, hasFunction: this.#deps.hasFunction(mapping) });
  }
}
