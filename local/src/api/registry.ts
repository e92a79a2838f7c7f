import { apiVersionOf, type ResourceType } from './resource.ts';

/** Every resource that is served now, built-in and custom. Discovery and the router read it; CRDs change it. */
export class Registry {
  readonly #builtins: readonly ResourceType[];
  /** By CRD name: its served versions. */
  readonly #custom = new Map<string, readonly ResourceType[]>();
  /** By `group/version/plural`. */
  #byPath = new Map<string, ResourceType>();
  #generation = 0;

  constructor(builtins: readonly ResourceType[]) {
    this.#builtins = builtins;
    this.#rebuild();
  }

  /** Grows with every change; what is computed from the registry is cached under it. */
  get generation(): number {
    return this.#generation;
  }

  find(group: string, version: string, plural: string): ResourceType | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** Any served version of a kind; what an owner reference points to. */
  findKind(apiVersion: string, kind: string): ResourceType | undefined {
    return this.all().find((type) => type.kind === kind && apiVersionOf(type) === apiVersion);
  }

  /** The type that serves the objects stored under `storage`. */
  findStorage(storage: string): ResourceType | undefined {
    return this.all().find((type) => type.storage === storage);
  }

  all(): readonly ResourceType[] {
    return [...this.#byPath.values()];
  }

  setCustom(crdName: string, types: readonly ResourceType[]): void {
    this.#custom.set(crdName, types);
    this.#rebuild();
  }

  removeCustom(crdName: string): void {
    if (this.#custom.delete(crdName)) this.#rebuild();
  }

  #rebuild(): void {
    const types = [...this.#builtins, ...[...this.#custom.values()].flat()];
    this.#byPath = new Map(types.map((type) => [`${type.group}/${type.version}/${type.plural}`, type]));
    this.#generation += 1;
  }
}
