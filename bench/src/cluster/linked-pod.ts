import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Part } from './bench-cluster.ts';
import type { LinkTarget } from './link-client.ts';
import { besides } from './metrics.ts';

/** A pod that the bench calls over the agent's link from a gateway's place in the network: where policies let nobody else call it. */
export class LinkedPod {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Claims the pod. */
  static async open(gateway: Part, target: LinkTarget): Promise<LinkedPod> {
    const client = fileURLToPath(new URL('link-client.ts', import.meta.url));
    const [program, ...args] = besides(gateway, [process.execPath, '--disable-warning=ExperimentalWarning', client]);
    const child = spawn(program, args);
    child.stderr.pipe(process.stderr);
    const pod = new LinkedPod(child);
    await pod.#ask(JSON.stringify(target));
    return pod;
  }

  /** @see AgentLink.latenciesUs */
  latenciesUs(count: number): Promise<readonly number[]> {
    return this.#ask(String(count));
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask(line: string): Promise<readonly number[]> {
    this.#child.stdin.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the link to the pod could not be opened, or broke');
    return JSON.parse(value) as readonly number[];
  }
}
