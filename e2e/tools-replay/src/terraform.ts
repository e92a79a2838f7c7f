import type { Caller } from './callers.ts';
import { evaluate, inputOf, type Scope } from './expressions.ts';
import { isSame, play } from './play.ts';
import type { Resource, Step, Terraform, Value, Values } from './steps.ts';

/** Which configuration is meant. */
export type Edition = 'set' | 'change';

/** Terraform's part of a replay: what it knows of each resource, and what it makes of a configuration. */
export class TerraformReplay {
  readonly #tool: Terraform;
  readonly #call: Caller;
  readonly #files: Scope['files'];
  /** By address: what was configured and what was read, `provider` for its own. A resource that was destroyed stays, to be looked for. */
  readonly #known = new Map<string, Values>();
  /** What was read last, by address. */
  readonly #state = new Map<string, Values>();
  readonly #there = new Set<string>();

  constructor(tool: Terraform, call: Caller, files: Scope['files']) {
    this.#tool = tool;
    this.#call = call;
    this.#files = files;
  }

  /** What the provider does first. */
  async configure(): Promise<void> {
    this.#known.set('provider', await this.#run(this.#tool.provider, 'provider', {}));
  }

  /**
   * `terraform apply`: refreshes all, destroys what has to be made anew, users first, then makes and updates in order.
   *
   * @returns what was done to each: `create ADDRESS`, `update ADDRESS`, `replace ADDRESS`
   */
  async apply(edition: Edition): Promise<readonly string[]> {
    const replaced = await this.#planReplacements(edition);
    for (const resource of this.#tool.resources.toReversed())
      if (replaced.has(resource.address)) await this.#delete(resource);
    const done: string[] = [];
    for (const resource of this.#tool.resources) {
      const { address } = resource;
      const action = await this.#bring(resource, edition);
      if (action === null) continue;
      done.push(`${replaced.has(address) ? 'replace' : action} ${address}`);
      await this.#read(resource);
      const differences = this.#differences(resource, edition);
      if (differences.length > 0) throw new Error(`after ${action} ${address} shows other ${differences.join(', ')}`);
    }
    return done;
  }

  /** `terraform plan`. @returns address → attributes that differ; empty = no changes */
  async plan(edition: Edition): Promise<Readonly<Record<string, readonly string[]>>> {
    const changes: [string, readonly string[]][] = [];
    for (const resource of this.#tool.resources) {
      await this.#read(resource);
      const differences = this.#differences(resource, edition);
      if (differences.length > 0) changes.push([resource.address, differences]);
    }
    return Object.fromEntries(changes);
  }

  /** `terraform destroy`. A second one asks for the same and finds nothing, which is no failure. */
  async destroy(): Promise<void> {
    for (const resource of this.#tool.resources.toReversed()) await this.#delete(resource);
  }

  /** Looks for everything. @returns addresses of what is still there */
  async remaining(): Promise<readonly string[]> {
    const left: string[] = [];
    for (const resource of this.#tool.resources) {
      await this.#read(resource);
      if (this.#there.has(resource.address)) left.push(resource.address);
    }
    return left;
  }

  /** What cannot be updated, and what refers to it where that cannot be updated either. */
  async #planReplacements(edition: Edition): Promise<ReadonlySet<string>> {
    const replaced = new Set<string>();
    for (const resource of this.#tool.resources) {
      if (!this.#there.has(resource.address)) continue;
      await this.#read(resource);
      const { address, set, change, replacedBy = [] } = resource;
      const written: Values = edition === 'set' ? set : { ...set, ...change };
      const refers = (name: string) => [...replaced].some((other) => String(written[name]).startsWith(`$${other}.`));
      const changed = this.#differences(resource, edition);
      if (replacedBy.some((name) => changed.includes(name) || refers(name))) replaced.add(address);
    }
    return replaced;
  }

  async #bring(resource: Resource, edition: Edition): Promise<'create' | 'update' | null> {
    const { address, create, update = [] } = resource;
    if (!this.#there.has(address)) {
      await this.#make(resource, create, this.#configuration(resource, edition, {}), []);
      return 'create';
    }
    const changed = this.#differences(resource, edition);
    if (changed.length === 0) return null;
    const before = this.#known.get(address) ?? {};
    await this.#make(resource, update, { ...before, ...this.#configuration(resource, edition, before) }, changed);
    return 'update';
  }

  async #make(
    { address }: Resource,
    steps: readonly Step[],
    wanted: Values,
    changed: readonly string[],
  ): Promise<void> {
    const asked = steps.filter((step) => step.if === undefined || step.if.some((name) => changed.includes(name)));
    const read = await this.#run(asked, address, wanted);
    this.#known.set(address, { ...wanted, ...read });
    this.#there.add(address);
  }

  async #delete(resource: Resource): Promise<void> {
    await this.#run(resource.delete, resource.address, this.#known.get(resource.address) ?? {});
    this.#there.delete(resource.address);
  }

  /** Attributes that were not as configured when they were read last. */
  #differences(resource: Resource, edition: Edition): readonly string[] {
    const { address, sets = [] } = resource;
    if (!this.#there.has(address)) return ['(absent)'];
    const read = this.#state.get(address) ?? {};
    const wanted = this.#configuration(resource, edition, this.#known.get(address) ?? {});
    return Object.keys(wanted).filter((name) => name in read && !isSame(wanted[name], read[name], sets.includes(name)));
  }

  async #read({ address, read: steps }: Resource): Promise<void> {
    const before = this.#known.get(address) ?? {};
    const read = await this.#run(steps, address, before);
    this.#state.set(address, read);
    this.#known.set(address, { ...before, ...read });
    if (Object.keys(read).length > 0) this.#there.add(address);
    else this.#there.delete(address);
  }

  /** Until one says that the resource is not there. @returns what was read; nothing when it is not there */
  async #run(steps: readonly Step[], address: string, start: Values): Promise<Values> {
    let read: Values = {};
    for (const step of steps) {
      const played = await play(step, this.#call, this.#scope({ ...start, ...read })).catch((err: unknown) => {
        throw new Error(`${address}: ${err instanceof Error ? err.message : err}`, { cause: err });
      });
      if (played.isAbsent) return {};
      read = { ...read, ...played.read };
    }
    return read;
  }

  /** Attributes as the configuration says; they may refer to those before them, to what was read, and to resources before this one. */
  #configuration({ set, change }: Resource, edition: Edition, known: Values): Values {
    const written = edition === 'set' ? set : { ...set, ...change };
    let made: Values = {};
    for (const [name, value] of Object.entries(written))
      made = { ...made, [name]: inputOf(value, this.#scope({ ...known, ...made })) };
    return made;
  }

  /** `type.name.attribute` of another resource, `provider.attribute`, or an own attribute. */
  #scope(own: Values): Scope {
    const look = (path: string): Value => {
      const [first = '', second = '', ...rest] = path.split('.');
      if (first === 'provider') return this.#known.get('provider')?.[second];
      const other = this.#known.get(`${first}.${second}`);
      return other === undefined ? evaluate(path, own, scope) : evaluate(rest.join('.'), other, scope);
    };
    const scope: Scope = { look, files: this.#files };
    return scope;
  }
}
