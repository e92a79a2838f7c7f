import { relative } from 'node:path';
import { isRecentKubectl } from '../kubectl.ts';
import type { LocalRuntime } from '../node/runtimes.ts';

/** What the text is about. */
export interface Shown {
  readonly kubeconfig: string;
  readonly url: string;
  readonly folder: string;
  /** kubectl of the project. */
  readonly kubectl: string;
  /** Version of the kubectl on PATH; null when there is none. */
  readonly ownKubectl: string | null;
  readonly runtimes: readonly LocalRuntime[];
  /** Languages that the machine lacks, and why. */
  readonly lacks: readonly string[];
  readonly hasExamples: boolean;
}

/** What `make dev` says when everything runs: how to go on, and what local mode is not. */
export function closingText(shown: Shown): string {
  const kubectlLines = kubectlHint(shown);
  const path = `${shown.url}/fn/default/hello-node/`;
  const lines = [
    '',
    `Kappa runs. Gateway ${shown.url}, state in ${short(shown, shown.kubeconfig).replace(/\/kubeconfig$/, '/')}, Ctrl-C ends it.`,
    '',
    'Try, in another terminal:',
    `  export KUBECONFIG=${shown.kubeconfig}`,
    ...kubectlLines.commands,
    '  kubectl get fn',
    ...(shown.hasExamples
      ? [`  curl ${path}`, '  kubectl logs -n kappa-functions -l kappa.dev/function=hello-node']
      : []),
    '',
    ...kubectlLines.notes,
    ...(shown.hasExamples
      ? [`Function URLs: ${path}  ${shown.url}/fn/default/hello-python/`]
      : ['No examples were applied: kubectl apply -f examples/hello-node.yaml']),
    `Runtimes here: ${runtimesText(shown.runtimes)}`,
    ...shown.lacks.map((text) => `Not here: ${text}`),
    'Local mode isolates nothing: functions run as your own user, on your files, with your network. Run only code you trust.',
    '',
  ];
  return lines.join('\n');
}

function kubectlHint({ kubectl, ownKubectl }: Shown): { commands: readonly string[]; notes: readonly string[] } {
  if (isRecentKubectl(ownKubectl)) return { commands: [], notes: [] };
  const folder = kubectl.slice(0, kubectl.lastIndexOf('/'));
  const why =
    ownKubectl === null
      ? 'This machine has no kubectl'
      : `The kubectl of this machine is ${ownKubectl}, older than 1.35`;
  return {
    commands: [`  export PATH=${folder}:$PATH`],
    notes: [`${why}; make kubectl provides one: ${kubectl}`],
  };
}

function runtimesText(runtimes: readonly LocalRuntime[]): string {
  const exact = runtimes.filter((runtime) => runtime.isExact).map((runtime) => runtime.entry.id);
  const standIns = runtimes
    .filter((runtime) => !runtime.isExact)
    .map(({ entry, interpreter }) => `${entry.id} (runs on ${entry.family} ${interpreter?.version})`);
  if (exact.length + standIns.length === 0) return 'none: install Node.js or Python 3';
  return [exact.join(' '), standIns.length > 0 ? `stand-ins: ${standIns.join(', ')}` : '']
    .filter((text) => text !== '')
    .join('; ');
}

function short({ folder }: Shown, path: string): string {
  const inside = relative(folder, path);
  return inside.startsWith('..') ? path : inside;
}
