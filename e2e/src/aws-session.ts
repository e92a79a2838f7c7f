import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AwsResult } from './aws-cli.ts';

const program = join(import.meta.dirname, '../aws-cli/session.py');

/** The `aws` command for many calls: what takes it a second to import is imported once. Commands run one after the other; `end` it. */
export class AwsSession {
  /** The operations of Lambda that this version of the command has a model of. */
  readonly operations: ReadonlySet<string>;
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: ChildProcess, answers: AsyncIterator<string>, operations: readonly string[]) {
    this.#process = child;
    this.#answers = answers;
    this.operations = new Set(operations);
  }

  /** @param folder that the command was unpacked into */
  static async start(folder: string, environment: NodeJS.ProcessEnv): Promise<AwsSession> {
    const env = { ...environment, PYTHONPATH: folder };
    const child = spawn('python3', [program], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return new AwsSession(child, answers, JSON.parse(await nextOf(answers)) as readonly string[]);
  }

  /** `aws` with these arguments, to its end. */
  async run(args: readonly string[]): Promise<AwsResult> {
    this.#process.stdin?.write(`${JSON.stringify(args)}\n`);
    return JSON.parse(await nextOf(this.#answers)) as AwsResult;
  }

  async end(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin?.end();
    await ended;
  }
}

async function nextOf(answers: AsyncIterator<string>): Promise<string> {
  const { value, done } = await answers.next();
  if (done === true) throw new Error('the session of the aws command has ended');
  return String(value);
}
