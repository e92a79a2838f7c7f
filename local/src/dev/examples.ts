import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The examples that a fresh platform shows: file and the Function in it. */
export const shownExamples = ['hello-node', 'hello-python'] as const;

/** What is needed to talk to a platform as a user does. */
export interface Access {
  readonly kubectl: string;
  readonly kubeconfig: string;
}

/** Runs the real kubectl. @returns its standard output @throws Error with what it said */
export async function runKubectl(access: Access, args: readonly string[]): Promise<string> {
  const environment = { ...process.env, KUBECONFIG: access.kubeconfig };
  const { stdout } = await execute(access.kubectl, [...args], { env: environment, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

/**
 * Applies the examples as a user would, and waits until they can be called.
 *
 * @param folder examples/
 * @param say hears what kubectl says
 * @throws Error when one is refused or not ready within 90 s
 */
export async function applyExamples(access: Access, folder: string, say: (text: string) => void): Promise<void> {
  const files = shownExamples.flatMap((name) => ['-f', join(folder, `${name}.yaml`)]);
  say((await runKubectl(access, ['apply', '--namespace', 'default', ...files])).trimEnd());
  const names = shownExamples.map((name) => `functions.kappa.dev/${name}`);
  const wait = ['wait', '--namespace', 'default', '--for=condition=Ready', '--timeout=90s', ...names];
  say((await runKubectl(access, wait)).trimEnd());
}
