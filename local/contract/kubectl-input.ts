import type { Json } from './api.ts';
import type { Cluster } from './cluster.ts';

/** Runs kubectl in the test file's namespace; arguments are separated by single blanks. */
export type RunKubectl = (args: string, options?: { input?: string; env?: Record<string, string> }) => Promise<string>;

/** kubectl in the namespace of `cluster`; fails when kubectl does. */
export function kubectlIn(cluster: Cluster): RunKubectl {
  return (args, options = {}) => cluster.kubectl.ok(['-n', cluster.namespace, ...args.split(' ')], options);
}

/** The same with `-o json`, parsed. */
export function jsonIn(cluster: Cluster): (args: string) => Promise<Json> {
  const kubectl = kubectlIn(cluster);
  return async (args) => JSON.parse(await kubectl(`${args} -o json`));
}

/** A Function that is valid; `more` is appended below `spec`, indented by two. */
export function functionYaml(name: string, more = ''): string {
  return `
apiVersion: kappa.dev/v1alpha1
kind: Function
metadata:
  name: ${name}
spec:
  runtime: nodejs24.x
  handler: index.handler
  code:
    inline:
      files:
        - path: index.mjs
          content: "export const handler = async () => 'hi';"
${more}`;
}

/** A ConfigMap as JSON. */
export function configMapYaml(name: string, data: Record<string, string>): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}

/** A pod that no node runs, as JSON. */
export function podYaml(name: string): string {
  const spec = { schedulerName: 'nobody', containers: [{ name: 'c', image: 'none.invalid/none' }] };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec });
}

/** The columns of a line of output; they stand at least two blanks apart. */
export function columns(line: string | undefined): string[] {
  return (line ?? '').trim().split(/\s{2,}/);
}
