import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Asynchronous invocations in local mode, seen from outside. The function appends to a file what it runs, so that nothing depends on answers.
 */

const code = `
import { appendFileSync } from 'node:fs';
export const handler = async (event, context) => {
  appendFileSync(event.mark, JSON.stringify({ id: context.awsRequestId, note: event.note, arn: context.invokedFunctionArn }) + '\\n');
  if (event.fail) throw new Error('on purpose');
  if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs));
  return { done: event.note };
};
`;

const run = promisify(execFile);

let kappa: TestPlatform;
let aws: AwsCli;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-events-'));
  kappa = await startTestPlatform({ examples: false });
  aws = await provideAwsCli(kappa.endpoint);
  await kappa.applyReady(manifest('marker', { eventInvoke: [{ qualifier: '$LATEST', maximumRetryAttempts: 0 }] }));
}, 240_000);
afterAll(async () => {
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

function manifest(name: string, spec: object): object {
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: { name },
    spec: {
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code: { inline: { files: [{ path: 'index.mjs', content: code }] } },
      ...spec,
    },
  };
}

const markFile = (name: string): string => join(folder, name);

/** What has run, as it wrote it. */
function runsIn(name: string): readonly { readonly id: string; readonly note?: string; readonly arn: string }[] {
  try {
    return readFileSync(markFile(name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

async function send(name: string, event: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${kappa.endpoint}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    headers: { 'x-amz-invocation-type': 'Event', ...headers },
    body: JSON.stringify(event),
  });
}

/** What `kappa events …` prints. @throws Error with what it says when it fails */
async function kappaCommand(...args: readonly string[]): Promise<string> {
  const main = join(import.meta.dirname, '../../cli/src/main.ts');
  const { stdout } = await run(process.execPath, [main, '--endpoint', kappa.endpoint, 'events', ...args]);
  return stdout;
}

interface Listed {
  readonly events: readonly { readonly requestId: string; readonly condition: string; readonly errorMessage: string }[];
}

async function deadOf(name: string): Promise<Listed['events']> {
  const answer = await fetch(`${kappa.endpoint}/kappa/v1/events/${name}`);
  return ((await answer.json()) as Listed).events;
}

test('the aws command gets 202, and the function runs', async () => {
  const payload = JSON.stringify({ mark: markFile('cli'), note: 'by cli' });
  const said = await aws.json<{ StatusCode: number }>(
    ...(['lambda', 'invoke', '--function-name', 'marker', '--invocation-type', 'Event'] as const),
    ...(['--payload', payload, markFile('out')] as const),
  );
  expect(said.StatusCode).toBe(202);
  expect(readFileSync(markFile('out'), 'utf8')).toBe('');
  await eventually('it has run', async () => runsIn('cli').length === 1);
}, 60_000);

test('the id of the answer is the id of the run, and the ARN has the qualifier that was asked for', async () => {
  const answer = await send('marker:$LATEST', { mark: markFile('id') });
  expect(answer.status).toBe(202);
  expect(await answer.text()).toBe('');
  await eventually('it has run', async () => runsIn('id').length === 1);
  const [one] = runsIn('id');
  expect(one?.id).toBe(answer.headers.get('x-amzn-requestid'));
  expect(one?.arn).toMatch(/:function:marker:\$LATEST$/);
}, 60_000);

test('what fails for good is kept: it can be listed, looked at, run again and dropped', async () => {
  const answer = await send('marker', { mark: markFile('fails'), fail: true });
  const id = answer.headers.get('x-amzn-requestid') ?? '';
  await eventually('it is dead', async () => (await deadOf('marker')).some(({ requestId }) => requestId === id));
  expect((await deadOf('marker')).find(({ requestId }) => requestId === id)).toMatchObject({
    condition: 'RetriesExhausted',
    errorMessage: 'on purpose',
    attempts: 1,
  });
  const url = `${kappa.endpoint}/kappa/v1/events/marker/${id}`;
  expect(await (await fetch(url)).json()).toMatchObject({ payload: { fail: true }, state: 'dead', statusCode: 200 });
  expect((await fetch(`${url}/replay`, { method: 'POST' })).status).toBe(200);
  await eventually('it has run again', async () => runsIn('fails').length === 2);
  await eventually('it is dead again', async () => (await deadOf('marker')).length === 1);
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(200);
  expect(await deadOf('marker')).toEqual([]);
  expect((await fetch(url)).status).toBe(404);
}, 60_000);

test('kappa events lists, shows, replays and drops', async () => {
  const answer = await send('marker', { mark: markFile('command'), fail: true, note: 'by command' });
  const id = answer.headers.get('x-amzn-requestid') ?? '';
  await eventually('it is dead', async () => (await deadOf('marker')).length === 1);
  const list = await kappaCommand('list', 'marker');
  expect(list).toMatch(/^ID +GIVEN UP +WHY +ATTEMPTS +ERROR\n/);
  expect(list).toMatch(new RegExp(`\n${id} +20\\S+Z +RetriesExhausted +1 +on purpose\n`));
  expect(JSON.parse(await kappaCommand('show', 'marker', id))).toMatchObject({ payload: { note: 'by command' } });
  await kappaCommand('replay', 'marker', id);
  await eventually('it has run again', async () => runsIn('command').length === 2);
  await eventually('it is dead again', async () => (await deadOf('marker')).length === 1);
  await kappaCommand('drop', 'marker', id);
  expect(await kappaCommand('list', 'marker')).toBe('marker has no dead events\n');
  await expect(kappaCommand('show', 'marker', id)).rejects.toThrow(/ResourceNotFoundException: There is no event/);
}, 60_000);

test('a gateway that is told to end finishes what runs, and the next one runs what waits', async () => {
  await kappa.applyReady(manifest('single', { concurrency: { reserved: 1 } }));
  const [slow, next] = [
    await send('single', { mark: markFile('slow'), sleepMs: 2000 }),
    await send('single', { mark: markFile('next') }),
  ];
  expect([slow.status, next.status]).toEqual([202, 202]);
  await eventually('one runs', async () => runsIn('slow').length + runsIn('next').length > 0);
  await kappa.kill('gateway', 'SIGTERM');
  await kappa.start('gateway');
  await eventually('both have run', async () => runsIn('slow').length > 0 && runsIn('next').length > 0);
  const id = slow.headers.get('x-amzn-requestid');
  await eventually('it is settled', async () => {
    const answer = await fetch(`${kappa.endpoint}/kappa/v1/events/single/${id}`);
    return answer.status === 404;
  });
  expect(runsIn('slow')).toHaveLength(1);
}, 120_000);

test('a gateway that is killed in the middle loses no event that was acknowledged', async () => {
  const acknowledged: string[] = [];
  const sendOne = async (): Promise<void> => {
    try {
      const answer = await send('marker', { mark: markFile('killed'), sleepMs: 300 });
      if (answer.status === 202) acknowledged.push(answer.headers.get('x-amzn-requestid') ?? '');
    } catch {
      // nobody has said that it was kept
    }
  };
  for (let round = 1; round <= 3; round += 1) {
    const sending = Promise.all([...Array(40).keys()].map(sendOne));
    const before = runsIn('killed').length;
    await eventually('some run', async () => runsIn('killed').length > before);
    await kappa.kill('gateway');
    await sending;
    await kappa.start('gateway');
  }
  expect(acknowledged.length).toBeGreaterThan(0);
  const missing = (): readonly string[] => {
    const seen = new Set(runsIn('killed').map(({ id }) => id));
    return acknowledged.filter((id) => !seen.has(id));
  };
  await eventually('all have run', async () => missing().length === 0, 120_000);
}, 300_000);
