import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { provideJars } from '../testing-servers.ts';

const program = join(import.meta.dirname, '../../../test-servers/event-ruler/RulerLines.java');

/** What the reference says of a pattern and an event. */
export type RulerAnswer = 'matches' | 'does not match' | 'refused';

/** Event Ruler, the matcher of EventBridge: one JVM that answers line by line. */
export class TestRuler {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static async start(): Promise<TestRuler> {
    const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
    const args = [...flags, '-cp', `${await provideJars('event-ruler')}/*`, program];
    return new TestRuler(spawn('java', args, { stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  /** All answers in order: a JVM that is asked for each alone mostly waits. @param pairs JSON texts */
  async ask(pairs: readonly (readonly [pattern: string, event: string])[]): Promise<readonly RulerAnswer[]> {
    for (const pair of pairs) this.#child.stdin.write(`${JSON.stringify(pair)}\n`);
    const answers: RulerAnswer[] = [];
    while (answers.length < pairs.length) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`event ruler ended after ${answers.length} answers of ${pairs.length}`);
      answers.push(value === 'true' ? 'matches' : value === 'false' ? 'does not match' : 'refused');
    }
    return answers;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
