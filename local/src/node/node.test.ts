import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { makeAddresses } from './addresses.ts';
import { endAllPods } from './end-all-pods.ts';
import { FakeApi } from './fake-api.ts';
import { ProcessNode } from './node.ts';
import type { PodView } from './pod.ts';
import { podPaths, readRecords } from './pod-record.ts';
import { isAlive, readProcess } from './proc.ts';
import type { LocalRuntime } from './runtimes.ts';
import { eventually, machineCgroups, makeAgent, makeFolder, podView, realClock, shellRuntime } from './testing.ts';

const cgroups = machineCgroups(`kappa-node-test-${process.pid}`);
let folder: ReturnType<typeof makeFolder>;
let api: FakeApi;
let life: AbortController;
let work: Promise<void>;
let reads = 0;

beforeEach(() => {
  folder = makeFolder();
  api = new FakeApi();
});
afterEach(async () => {
  life.abort();
  await work;
  await endAllPods(folder.path, cgroups, realClock, 0);
  folder.remove();
});

/** A node over the test's state directory, and what the API lists at its start; a second call is a restart. */
async function startNode(
  runtimes: readonly LocalRuntime[],
  { withGroups = true, pods = [] as readonly PodView[] } = {},
): Promise<ProcessNode> {
  life = new AbortController();
  const node = new ProcessNode({
    nodeName: 'local-a',
    api,
    clock: realClock,
    log: () => {},
    stateDir: folder.path,
    start: {
      agent: makeAgent(folder.path),
      runtimes,
      addresses: makeAddresses(folder.path, [9101], 0),
      cgroups: withGroups ? cgroups : null,
      readKeys: async () => {
        reads += 1;
        return null;
      },
    },
  });
  await node.adopt();
  for (const pod of pods) node.onPod(key(pod), pod);
  work = node.run(life.signal);
  return node;
}

const key = (pod: PodView) => `${pod.namespace}/${pod.name}`;
const status = (pod: PodView) => api.statuses.get(pod.uid);
const phase = (pod: PodView, wanted: string) => eventually(wanted, () => status(pod)?.phase === wanted);
const condition = (pod: PodView) => status(pod)?.conditions?.find(({ type }) => type === 'Ready')?.status;
const state = (pod: PodView) => status(pod)?.containerStatuses?.[0]?.state;
const logOf = (pod: PodView) => readFileSync(podPaths(folder.path, pod.uid).log, 'utf8');
const processOf = (pod: PodView) => readRecords(folder.path).get(pod.uid)?.process ?? null;

test('a pod without a node is bound, started, reported, and its output is its log', async () => {
  process.env['KAPPA_TEST_SECRET'] = 'the developer’s own';
  const node = await startNode([shellRuntime('env; pwd; exec sleep 60')]);
  const pod = podView(
    { nodeName: '' },
    { environment: [{ kind: 'field', name: 'KAPPA_POD_IP', path: 'status.podIP' }] },
  );
  node.onPod(key(pod), pod);
  await phase(pod, 'Running');
  await eventually('Ready', () => condition(pod) === 'True');
  const log = await eventually('output', () => (logOf(pod).includes('/pods/') ? logOf(pod) : null));
  const paths = podPaths(folder.path, pod.uid);
  expect(log).toContain(`KAPPA_TASK_DIR=${paths.task}\n`);
  expect(log).toContain(`KAPPA_POD_IP=${status(pod)?.podIP}\n`);
  expect(log).toContain(`KAPPA_RUNTIME_API=${status(pod)?.podIP}:9001\n`);
  expect(log).toContain('KAPPA_FRESH_PROCESS=LD_*\n');
  expect(log).not.toContain('KAPPA_TEST_SECRET');
  expect(log.includes('KAPPA_ENFORCE_MEMORY=1')).toBe(cgroups === null);
  expect(existsSync(paths.tmp)).toBe(true);
});

test('without control groups the agent is told to watch the memory', async () => {
  const node = await startNode([shellRuntime('env; exec sleep 60')], { withGroups: false });
  const pod = podView();
  node.onPod(key(pod), pod);
  await phase(pod, 'Running');
  await eventually('output', () => logOf(pod).includes('KAPPA_ENFORCE_MEMORY=1\n'));
});

test.each([
  ['exit 0 is Succeeded', 'exit 0', 'Succeeded', { exitCode: 0, reason: 'Completed' }],
  ['exit 3 is Failed', 'exit 3', 'Failed', { exitCode: 3, reason: 'Error' }],
  ['a signal is Failed with its number', 'kill -SEGV $$', 'Failed', { exitCode: 139, signal: 11, reason: 'Error' }],
])('the end of a pod: %s', async (_reason, script, wanted, terminated) => {
  const node = await startNode([shellRuntime(script)]);
  const pod = podView();
  node.onPod(key(pod), pod);
  await phase(pod, wanted);
  expect(state(pod)?.['terminated']).toMatchObject(terminated);
  expect(condition(pod)).toBe('False');
});

test('an unknown image waits, and says what there is instead', async () => {
  const node = await startNode([shellRuntime('exit 0')]);
  const pod = podView({}, { image: 'nginx:1' });
  node.onPod(key(pod), pod);
  const waiting = await eventually('ErrImagePull', () =>
    state(pod)?.['waiting']?.reason === 'ErrImagePull' ? state(pod)?.['waiting'] : null,
  );
  expect(waiting.message).toContain('only the runtimes that this machine has: test/sh:1; not nginx:1');
  expect(api.warnings).toEqual(['ErrImagePull']);
});

test('a missing reference waits with CreateContainerConfigError', async () => {
  const node = await startNode([shellRuntime('exit 0')]);
  const missing = { kind: 'secret', name: 'X', object: 'none', key: 'k', isOptional: false } as const;
  const pod = podView({}, { environment: [missing] });
  node.onPod(key(pod), pod);
  const reason = () => state(pod)?.['waiting']?.reason;
  await eventually('reason', () => reason() === 'CreateContainerConfigError');
  const before = reads;
  await eventually('two more tries', () => reads >= before + 2);
  expect(reason()).toBe('CreateContainerConfigError');
});

test('a deleted pod gets SIGTERM, may end in peace, is removed, and leaves nothing', async () => {
  const node = await startNode([shellRuntime('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done')]);
  const pod = podView();
  node.onPod(key(pod), pod);
  await phase(pod, 'Running');
  await eventually('up', () => logOf(pod).includes('up'));
  node.onPod(key(pod), { ...pod, deletion: { deadlineMs: Date.now() + 30_000 } });
  await eventually('removal', () => api.removed.includes(pod.uid));
  expect(logOf(pod)).toContain('bye');
  expect(status(pod)?.phase).toBe('Succeeded');
  node.onPod(key(pod), null);
  await eventually('folder is gone', () => !existsSync(podPaths(folder.path, pod.uid).root));
});

test('a deaf pod is killed when its grace is over', async () => {
  const node = await startNode([shellRuntime('trap "" TERM; echo up; while :; do sleep 0.05; done')]);
  const pod = podView();
  node.onPod(key(pod), pod);
  await phase(pod, 'Running');
  await eventually('up', () => logOf(pod).includes('up'));
  const id = processOf(pod);
  node.onPod(key(pod), { ...pod, deletion: { deadlineMs: Date.now() + 100 } });
  await eventually('removal', () => api.removed.includes(pod.uid));
  expect(id !== null && isAlive(id)).toBe(false);
});

test('readiness follows the probe', async () => {
  const ready = { status: 503 };
  const node = await startNode([shellRuntime('exec sleep 60')]);
  const server = createServer((_request, response) => response.writeHead(ready.status).end());
  const pod = podView({}, { readiness: { path: '/readyz', port: 9101, timeoutMs: 1000, failures: 3 } });
  node.onPod(key(pod), pod);
  await phase(pod, 'Running');
  expect(condition(pod)).toBe('False');
  await new Promise<void>((resolve) => server.listen(9101, status(pod)?.podIP ?? '', resolve));
  try {
    ready.status = 200;
    await eventually('Ready', () => condition(pod) === 'True');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('a restarted node adopts what runs, still notices its end, and kills what nobody wants any more', async () => {
  const runtimes = [shellRuntime('echo up; exec sleep 60')];
  const first = await startNode(runtimes);
  const kept = podView({ uid: 'uid-kept', name: 'kept' });
  const gone = podView({ uid: 'uid-gone', name: 'gone' });
  for (const pod of [kept, gone]) first.onPod(key(pod), pod);
  for (const pod of [kept, gone]) await eventually('Ready', () => condition(pod) === 'True');
  const [keptId, goneId] = [processOf(kept), processOf(gone)];
  if (keptId === null || goneId === null) throw new Error('no records');
  life.abort();
  await work;

  await startNode(runtimes, { pods: [{ ...kept, phase: 'Running' }] });
  await eventually('the unwanted one is gone', () => !isAlive(goneId));
  expect(isAlive(keptId)).toBe(true);
  expect(condition(kept)).toBe('True');
  process.kill(keptId.pid, 'SIGKILL');
  await phase(kept, 'Failed');
});

test('a pod that ended while no node ran has an unknown exit', async () => {
  const runtimes = [shellRuntime('exec sleep 60')];
  const pod = podView();
  const first = await startNode(runtimes);
  first.onPod(key(pod), pod);
  await phase(pod, 'Running');
  life.abort();
  await work;
  const id = processOf(pod);
  process.kill(id?.pid ?? 0, 'SIGKILL');
  await eventually('end', () => id !== null && readProcess(id.pid) === null);
  await startNode(runtimes, { pods: [{ ...pod, phase: 'Running' }] });
  await phase(pod, 'Failed');
  expect(state(pod)?.['terminated']).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' });
});

test('a half-made pod folder (node killed in the middle) does not hinder the start', async () => {
  const pod = podView();
  await startNode([]);
  life.abort();
  await work;
  const paths = podPaths(folder.path, pod.uid);
  mkdirSync(paths.root, { recursive: true });
  writeFileSync(join(paths.root, 'pod.json'), '{"uid": "half');
  const node = await startNode([shellRuntime('exec sleep 60')]);
  node.onPod(key(pod), pod);
  await phase(pod, 'Running');
});

test('while the API is away pods go on, and what happened is written afterwards', async () => {
  const node = await startNode([shellRuntime('echo up; exec sleep 60')]);
  const pod = podView();
  node.onPod(key(pod), pod);
  await eventually('Ready', () => condition(pod) === 'True');
  api.isAway = true;
  process.kill(processOf(pod)?.pid ?? 0, 'SIGTERM');
  await eventually('end is on record', () => readRecords(folder.path).get(pod.uid)?.exit);
  expect(status(pod)?.phase).toBe('Running');
  api.isAway = false;
  await phase(pod, 'Failed');
  expect(state(pod)?.['terminated']).toMatchObject({ exitCode: 143, signal: 15 });
});

test('a resized pod has the new limit', async () => {
  const node = await startNode([shellRuntime('exec sleep 60')]);
  const pod = podView();
  node.onPod(key(pod), pod);
  await phase(pod, 'Running');
  const resources = { limits: { memory: '256Mi' } };
  const resized = podView({ generation: 2 }, { memoryBytes: 256 * 1024 * 1024, resources });
  node.onPod(key(pod), resized);
  await eventually(
    'status',
    () => JSON.stringify(status(pod)?.containerStatuses?.[0]?.resources) === JSON.stringify(resources),
  );
});

// Only control groups tell that it was memory; elsewhere the agent says so itself.
const testGroups = cgroups === null ? () => {} : test;
testGroups('a pod above its memory is OOMKilled', async () => {
  const python = { path: '/usr/bin/python3', version: '3' };
  const runtime = shellRuntime('x = bytearray(256 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1');
  const node = await startNode([{ ...runtime, interpreter: python }]);
  const pod = podView({}, { memoryBytes: 32 * 1024 * 1024 });
  node.onPod(key(pod), pod);
  await phase(pod, 'Failed');
  expect(state(pod)?.['terminated']).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  expect(api.warnings).toContain('OOMKilling');
});
