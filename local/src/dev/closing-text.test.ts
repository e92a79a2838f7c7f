import { expect, test } from '@jest/globals';
import type { LocalRuntime } from '../node/runtimes.ts';
import { closingText, type Shown } from './closing-text.ts';

function runtime(id: string, version: string, isExact: boolean): LocalRuntime {
  const entry = { id, family: 'python', version, image: '', interpreters: [], bootstrap: [], freshProcess: [] };
  return { entry, interpreter: { path: '/python', version }, isExact };
}

const shown: Shown = {
  kubeconfig: '/repo/.kappa/kubeconfig',
  url: 'http://127.0.0.1:9000',
  folder: '/repo',
  kubectl: '/repo/.cache/kubectl-1.35/kubectl',
  ownKubectl: '1.36.0',
  runtimes: [runtime('python3.13', '3.13.0', true), runtime('python3.14', '3.13.0', false)],
  lacks: ['ruby: no program ruby on PATH'],
  hasExamples: true,
};

test('it shows kubeconfig, commands, URLs, runtimes, and what local mode is not', () => {
  const text = closingText(shown);
  expect(text).toContain('export KUBECONFIG=/repo/.kappa/kubeconfig\n');
  expect(text).toContain('  kubectl get fn\n  curl http://127.0.0.1:9000/fn/default/hello-node/\n');
  expect(text).toContain('  kubectl logs -n kappa-functions -l kappa.dev/function=hello-node\n');
  expect(text).toContain('http://127.0.0.1:9000/fn/default/hello-python/');
  expect(text).toContain('python3.13; stand-ins: python3.14 (runs on python 3.13.0)');
  expect(text).toContain('\nNot here: ruby: no program ruby on PATH\n');
  expect(text).toContain('isolates nothing');
  expect(text).not.toContain('.cache');
});

test.each([
  [null, 'This machine has no kubectl; make kubectl provides one: /repo/.cache/kubectl-1.35/kubectl'],
  ['1.32.4', 'The kubectl of this machine is 1.32.4, older than 1.35; make kubectl provides one'],
])('with kubectl %p the project’s own is put on the path', (ownKubectl, note) => {
  const text = closingText({ ...shown, ownKubectl });
  expect(text).toContain('  export PATH=/repo/.cache/kubectl-1.35:$PATH\n');
  expect(text).toContain(note);
});

test('without examples it says how to apply one', () => {
  expect(closingText({ ...shown, hasExamples: false })).toContain('kubectl apply -f examples/hello-node.yaml');
});
