import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { type Invoked, invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

/** A FunctionVersion as kubectl shows it. */
interface VersionJson {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly version: string; readonly code: object };
}

/** What the code of each version answers. */
const editions = { $LATEST: 'latest', 1: 'first', 2: 'second' } as const;
const source = (edition: string) =>
  `export const handler = (event, context) => ({ edition: '${edition}', version: context.functionVersion, arn: context.invokedFunctionArn });`;

let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  await kappa.applyReady(nodeFunction('many', source(editions.$LATEST)));
  for (const version of ['1', '2'] as const) await publish(version);
}, 180_000);
afterAll(() => kappa?.stop(), 60_000);

/** Makes a numbered version out of the `$LATEST` snapshot, with code of its own. */
async function publish(version: '1' | '2'): Promise<void> {
  const { status } = await kappa.kubectl.json<{ status: { latestVersion: string } }>(['fn', 'many']);
  const { spec, ...latest } = await kappa.kubectl.json<VersionJson>(['fnv', status.latestVersion]);
  const zip = await zipWithEntry('index.mjs', source(editions[version]));
  const code = { sha256: await kappa.putBlob(zip), sizeBytes: zip.length };
  const metadata = { name: `many-${version}`, namespace: 'default', labels: { 'kappa.dev/function': 'many' } };
  await kappa.kubectl.apply({ ...latest, metadata, spec: { ...spec, version, code } });
}

function applyAlias(name: string, spec: object, objectName = `many-${name}`): Promise<string> {
  const metadata = { name: objectName, namespace: 'default' };
  return kappa.kubectl.apply({
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Alias',
    metadata,
    spec: { functionName: 'many', name, ...spec },
  });
}

/** The first answer of an alias that the gateway has just heard of. */
async function whenKnown(qualifier: string): Promise<Invoked> {
  return eventually(`alias ${qualifier} is known`, async () => {
    const answer = await invoke(kappa.endpoint, 'many', { qualifier });
    return answer.status === 404 ? undefined : answer;
  });
}

const executed = ({ headers }: Invoked) => headers.get('x-amz-executed-version');

test('an alias of $LATEST is called by qualifier and by name, and the function sees under which name', async () => {
  await applyAlias('live', { functionVersion: '$LATEST' });
  await whenKnown('live');
  for (const answer of [
    await invoke(kappa.endpoint, 'many', { qualifier: 'live' }),
    await invoke(kappa.endpoint, 'many:live'),
    await invoke(kappa.endpoint, 'many:live', { qualifier: 'live' }),
  ]) {
    expect(answer).toMatchObject({ status: 200, functionError: null });
    expect(answer.payload).toEqual({
      edition: 'latest',
      version: '$LATEST',
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:many:live',
    });
    expect(executed(answer)).toBe('$LATEST');
  }
});

test('a numbered version is called by its number', async () => {
  const answer = await invoke(kappa.endpoint, 'many', { qualifier: '1' });
  expect(answer.payload).toMatchObject({ edition: 'first', version: '1' });
  expect(executed(answer)).toBe('1');
});

test('an alias with a weight shares its calls between two versions', async () => {
  await applyAlias('shared', {
    functionVersion: '1',
    additionalVersion: { functionVersion: '2', weightPercent: 50 },
  });
  await whenKnown('shared');
  const calls = { 1: 0, 2: 0 };
  for (let call = 0; call < 200; call += 1) {
    const answer = await invoke(kappa.endpoint, 'many:shared');
    const version = executed(answer);
    if (version !== '1' && version !== '2') throw new Error(`${answer.status}, executed version ${version}`);
    expect(answer.payload).toMatchObject({ edition: editions[version], version });
    calls[version] += 1;
  }
  // A fair coin leaves these bounds less than once in ten million runs.
  expect(calls[2]).toBeGreaterThanOrEqual(60);
  expect(calls[2]).toBeLessThanOrEqual(140);
}, 60_000);

test('a weight of 0 and one of 100 are exact, and a change of it is taken over', async () => {
  await applyAlias('moved', { functionVersion: '1', additionalVersion: { functionVersion: '2', weightPercent: 0 } });
  await whenKnown('moved');
  for (let call = 0; call < 20; call += 1) expect(executed(await invoke(kappa.endpoint, 'many:moved'))).toBe('1');
  await applyAlias('moved', { functionVersion: '1', additionalVersion: { functionVersion: '2', weightPercent: 100 } });
  await eventually('the new weight', async () => executed(await invoke(kappa.endpoint, 'many:moved')) === '2');
  for (let call = 0; call < 20; call += 1) expect(executed(await invoke(kappa.endpoint, 'many:moved'))).toBe('2');
});

test('calls with one key get one version, by Invoke and by URL; keys only come to the newer one while its weight grows', async () => {
  const split = (weightPercent: number) => ({
    functionVersion: '1',
    additionalVersion: { functionVersion: '2', weightPercent },
    http: { auth: 'None' },
  });
  const keys = Array.from({ length: 24 }, (_, at) => `user-${at}`);
  const versionOf = async (key: string) => {
    const headers = { 'X-Kappa-Sticky-Key': key };
    const { payload } = await invoke(kappa.endpoint, 'many:sticky', { headers });
    const byUrl = await fetch(`${kappa.endpoint}/fn/default/many:sticky/`, { headers });
    expect(await byUrl.json()).toEqual(payload);
    return String(Object(payload)['version']);
  };
  await applyAlias('sticky', split(40));
  await whenKnown('sticky');
  await eventually('its URL', async () => (await fetch(`${kappa.endpoint}/fn/default/many:sticky/`)).ok);
  const newer = (versions: readonly string[]) => keys.filter((_, at) => versions[at] === '2');
  const few = newer(await Promise.all(keys.map(versionOf)));
  expect(newer(await Promise.all(keys.map(versionOf)))).toEqual(few);
  await applyAlias('sticky', split(70));
  await eventually('the new weight', async () => newer(await Promise.all(keys.map(versionOf))).length > few.length);
  const many = newer(await Promise.all(keys.map(versionOf)));
  expect(many).toEqual(expect.arrayContaining(few));
  expect([few.length, many.length]).toEqual([10, 17]); // the keys are always the same
}, 60_000);

test('two qualifiers that do not agree are refused with Lambda’s words', async () => {
  const answer = await invoke(kappa.endpoint, 'many:live', { qualifier: '1' });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('x-amzn-errortype')).toMatch(/^InvalidParameterValueException/);
  expect(answer.payload).toMatchObject({
    message: 'The derived qualifier from the function name does not match the specified qualifier.',
  });
});

test('an alias that nobody made is not found', async () => {
  const answer = await invoke(kappa.endpoint, 'many:nobody');
  expect(answer.status).toBe(404);
  expect(answer.headers.get('x-amzn-errortype')).toMatch(/^ResourceNotFoundException/);
  expect(JSON.stringify(answer.payload)).toContain(
    'Function not found: arn:aws:lambda:us-east-1:000000000000:function:many:nobody',
  );
});

test('of two objects with one alias name the older has it; when it goes the other one does', async () => {
  await applyAlias('twice', { functionVersion: '1' }, 'many-twice-z');
  expect(executed(await whenKnown('twice'))).toBe('1');
  const { metadata } = await kappa.kubectl.json<{ metadata: { creationTimestamp: string } }>(['alias', 'many-twice-z']);
  const later = Date.parse(metadata.creationTimestamp) + 1_000; // ages are whole seconds
  await eventually('the next second', async () => Date.now() >= later);
  await applyAlias('twice', { functionVersion: '2' }, 'many-twice-a');
  await applyAlias('after', { functionVersion: '1' });
  await whenKnown('after'); // so the gateway has seen the one before, too
  expect(executed(await invoke(kappa.endpoint, 'many:twice'))).toBe('1');
  await kappa.kubectl.ok(['delete', 'alias', 'many-twice-z']);
  await eventually('the other one', async () => executed(await invoke(kappa.endpoint, 'many:twice')) === '2');
});
