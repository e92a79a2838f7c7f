import type { Caller } from './callers.ts';
import { evaluate, type Scope } from './expressions.ts';
import { play } from './play.ts';
import type { Flows, Step, Values } from './steps.ts';

/** A tool that keeps nothing: its flows one after another; what one has read the next ones know. */
export class FlowsReplay {
  readonly #call: Caller;
  readonly #files: Scope['files'];
  #known: Values = {};

  constructor(call: Caller, files: Scope['files']) {
    this.#call = call;
    this.#files = files;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const look = (path: string) => evaluate(path, this.#known, scope);
      const scope: Scope = { look, files: this.#files };
      const { read } = await play(step, this.#call, scope);
      this.#known = { ...this.#known, ...read };
    }
  }

  /** Everything, in its order. */
  async runAll({ before, flows }: Flows): Promise<void> {
    await this.run(before);
    for (const { name, steps } of flows)
      await this.run(steps).catch((err: unknown) => {
        throw new Error(`${name}: ${err instanceof Error ? err.message : err}`, { cause: err });
      });
  }
}
