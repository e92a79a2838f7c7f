import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { makeTarget } from './testing.ts';
import { makeCode, until } from './testing-agent.ts';
import { answer, call, exited, failing, hello, offer, startGateway, startPods, untilStats } from './testing-gateway.ts';

describe('calls', () => {
  test('the first is cold, the rest are warm, and a hundred in a row use one pod', async () => {
    // A machine that is busy with other tests may take longer than the usual grace between answer and report.
    const gateway = startGateway([hello()], { limits: { finishGraceMs: 5_000 } });
    const agents = await startPods(2);
    await offer(gateway, agents);
    const first = await call(gateway, hello());
    expect(first).toMatchObject({ kind: 'response', start: 'cold' });
    expect(await first.report).toMatchObject({ status: 'success', initDurationMs: expect.any(Number) });
    for (let n = 2; n <= 100; n += 1) expect(answer(await call(gateway, hello()))).toMatchObject({ calls: n });
    expect(gateway.dispatcher.stats()).toMatchObject({ claimsTotal: 1, coldStartsTotal: 1, inFlight: 0, queued: 0 });
    expect(gateway.claimed).toHaveLength(1);
  });

  test('four at once are four pods, and a fifth waits for the pod that comes', async () => {
    const gateway = startGateway([hello()]);
    const agents = await startPods(5);
    await offer(gateway, agents.slice(0, 4));
    const five = [...Array(5).keys()].map(() => call(gateway, hello(), { sleepMs: 600 }));
    await until(
      () => gateway.wanted.includes(1),
      () => 'no pod was asked for',
    );
    await offer(gateway, agents.slice(4));
    const outcomes = await Promise.all(five);
    expect(outcomes.map((outcome) => outcome.start)).toEqual(new Array(5).fill('cold'));
    expect(gateway.dispatcher.stats()).toMatchObject({ claimsTotal: 5, queued: 0 });
  });

  test('large events and answers pass whole', async () => {
    const gateway = startGateway([hello()]);
    await offer(gateway, await startPods(2));
    const event = { pad: 'x'.repeat(3_000_000) };
    expect(answer(await call(gateway, hello(), event))).toMatchObject({ length: JSON.stringify(event).length });
    const chars = ['y', 'z'];
    const outcomes = await Promise.all(chars.map((char) => call(gateway, hello(), { fill: 3_000_000, char })));
    for (const [at, outcome] of outcomes.entries()) expect(answer(outcome) === chars[at]?.repeat(3_000_000)).toBe(true);
  });

  test('an exception is an outcome and keeps the process; an exit costs it, and the pod has a new one', async () => {
    const gateway = startGateway([hello()]);
    const agents = await startPods(2);
    await offer(gateway, agents);
    const thrown = await call(gateway, hello(), { throw: true });
    expect(thrown.kind).toBe('error');
    expect(answer(thrown)).toMatchObject({ errorType: 'TypeError', errorMessage: 'thrown on purpose' });
    expect(answer(await call(gateway, hello()))).toMatchObject({ calls: 2 });
    const outcome = await call(gateway, hello(), { exit: true });
    expect(outcome).toMatchObject({ kind: 'error', errorType: 'Runtime.ExitError' });
    expect(await outcome.report).toMatchObject({ reusable: true });
    expect(answer(await call(gateway, hello()))).toMatchObject({ calls: 1 });
    expect(gateway.dispatcher.stats()).toMatchObject({ claimsTotal: 1 });
  });

  test('a zip that is none is the function owner’s error and leaves the pod generic', async () => {
    const broken = makeTarget({
      versionUid: 'broken',
      functionObjectName: 'broken',
      codeSha256: 'f'.repeat(64),
      codeBytes: 13,
    });
    const gateway = startGateway([hello(), broken]);
    await offer(gateway, await startPods(1));
    await expect(call(gateway, broken)).rejects.toMatchObject({ code: 'InvalidZipFileException', fault: 'function' });
    expect(await call(gateway, hello())).toMatchObject({ kind: 'response' });
  });

  test('layers lie in /opt, later ones over earlier ones', async () => {
    const source = `import both from 'both'; import one from 'one'; import large from 'large';
      export const handler = async () => ({ both, one, large: large.length });`;
    const large = randomBytes(300_000).toString('base64'); // more than one frame
    const packages = (files: Record<string, string>) =>
      makeCode(Object.fromEntries(Object.entries(files).map(([name, text]) => [`nodejs/node_modules/${name}`, text])));
    const code = await makeCode({ 'index.mjs': source });
    const layers = [
      await packages({ 'one/index.js': 'module.exports = "first"', 'both/index.js': 'module.exports = "first"' }),
      await packages({ 'large/index.js': `module.exports = "${large}"`, 'both/index.js': 'module.exports = "second"' }),
    ];
    const layered = makeTarget({
      versionUid: 'layered',
      functionObjectName: 'layered',
      codeSha256: code.codeSha256,
      codeBytes: code.codeBytes,
      layers: layers.map(({ codeSha256: sha256, codeBytes: bytes }) => ({ sha256, bytes })),
    });
    const gateway = startGateway([layered], { zips: [code, ...layers] });
    await offer(gateway, await startPods(1));
    expect(answer(await call(gateway, layered))).toEqual({ one: 'first', both: 'second', large: 400_000 });
  });

  test('a failing init is the answer of everyone who waits, and does not empty the pool', async () => {
    const gateway = startGateway([hello(), failing()]);
    await offer(gateway, await startPods(3));
    expect(await call(gateway, failing())).toMatchObject({ kind: 'error' });
    const both = [call(gateway, failing()), call(gateway, failing())];
    for (const outcome of await Promise.all(both))
      expect(answer(outcome)).toMatchObject({ errorMessage: 'init failed on purpose' });
    await until(
      () => gateway.paused.length >= 2,
      () => `pauses: ${gateway.paused}`,
    );
    expect(gateway.paused.slice(0, 2)).toEqual([0, 250]);
  });
});

describe('life of a version', () => {
  test('idle pods expire to zero and the agent ends well', async () => {
    const short = { ...hello(), idleTimeoutMs: 100 };
    const gateway = startGateway([short]);
    const [agent] = await startPods(1);
    if (agent === undefined) throw new Error('no agent');
    await offer(gateway, [agent]);
    await call(gateway, short);
    await exited(agent);
    expect(agent.child.exitCode).toBe(0);
    expect(gateway.dispatcher.stats()).toMatchObject({ activeVersions: 0, slots: { idle: 0 } });
  });

  test('a new version takes over without a failed call, the old one’s pods go', async () => {
    const next = { ...hello(), versionUid: 'uid-2' };
    const gateway = startGateway([hello()]);
    const agents = await startPods(3);
    await offer(gateway, agents);
    const busy = call(gateway, hello(), { sleepMs: 300 });
    await call(gateway, hello());
    gateway.dispatcher.onVersions(new Map([[next.versionUid, next]]));
    expect(answer(await call(gateway, next))).toMatchObject({ calls: 1 });
    expect(await busy).toMatchObject({ kind: 'response' });
    const old = agents.filter((agent) => gateway.claimed.slice(0, 2).includes(agent.pod.name));
    await Promise.all(old.map(exited));
    expect(gateway.dispatcher.stats().slots).toMatchObject({ idle: 1, busy: 0 });
  });

  test('a pod is linked when it becomes ready, not before', async () => {
    const gateway = startGateway([hello()]);
    const [agent] = await startPods(1);
    if (agent === undefined) throw new Error('no agent');
    gateway.dispatcher.onPod(agent.key, { ...agent.pod, ready: false, ip: '' });
    expect(gateway.dispatcher.stats().pools).toEqual([]);
    await offer(gateway, [agent]);
    expect(await call(gateway, hello())).toMatchObject({ kind: 'response' });
  });

  test('provisioned pods are claimed before the first call, which is then warm', async () => {
    const provisioned = { ...hello(), provisionedConcurrency: 1, idleTimeoutMs: 20 };
    const gateway = startGateway([provisioned]);
    const agents = await startPods(2);
    await offer(gateway, agents);
    await untilStats(gateway, (stats) => stats.slots.idle === 1);
    expect(await call(gateway, provisioned)).toMatchObject({ kind: 'response', start: 'warm' });
    agents.find((agent) => agent.pod.name === gateway.claimed[0])?.child.kill('SIGKILL');
    await untilStats(gateway, (stats) => stats.claimsTotal === 2 && stats.slots.idle === 1);
  });
});
