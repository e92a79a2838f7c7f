import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A suite of tests in another language: what it writes is what `go test -json` writes. */
export interface ForeignSuite {
  readonly folder: string;
  readonly command: readonly [program: string, ...args: string[]];
}

/** What became of one run. */
export interface SuiteRun {
  /** @throws Error with what the test wrote, unless it has passed */
  expectPassed(test: string): void;
}

/** Tests that the files of a suite declare, read from their text: one that is not run is missed. @param declaration its group is the name */
export function declaredTests(folder: string, files: RegExp, declaration: RegExp): readonly string[] {
  const names = readdirSync(folder)
    .filter((file) => files.test(file))
    .flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(declaration)].map(([, name = '']) => name),
    );
  if (names.length === 0) throw new Error(`no test is declared in ${folder}`);
  return names;
}

/** Runs a suite to its end, with at most 5 minutes for it. */
export async function runSuite(
  { folder, command: [program, ...args] }: ForeignSuite,
  env: NodeJS.ProcessEnv,
): Promise<SuiteRun> {
  const options = { cwd: folder, env, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 };
  const written = await new Promise<{ readonly stdout: string; readonly stderr: string }>((resolve) =>
    execFile(program, args, options, (error, stdout, stderr) =>
      resolve({ stdout, stderr: error === null ? stderr : `${stderr}${error.message.slice(0, 1000)}` }),
    ),
  );
  const outcomes = new Map<string, string>();
  const outputs = new Map<string, string>();
  for (const { Action, Test = '', Output = '' } of eventsIn(written.stdout)) {
    if (Action.endsWith('output')) outputs.set(Test, `${outputs.get(Test) ?? ''}${Output}`);
    if (Action === 'pass' || Action === 'fail' || Action === 'skip') outcomes.set(Test, Action);
  }
  return {
    expectPassed: (test) => {
      const outcome = outcomes.get(test) ?? 'not run';
      if (outcome === 'pass') return;
      const rest = outcomes.has(test) ? '' : `${outputs.get('') ?? ''}${written.stderr}`;
      throw new Error(`${test}: ${outcome}\n${outputs.get(test) ?? ''}${rest}`);
    },
  };
}

interface TestEvent {
  readonly Action: string;
  readonly Test?: string;
  readonly Output?: string;
}

/** Lines of other programs between are theirs; the last one may be cut short when the suite was ended. */
function eventsIn(text: string): readonly TestEvent[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as TestEvent);
}
