import { join } from 'node:path';
import {
  CreateFunctionCommand,
  InvokeCommand,
  type InvokeCommandOutput,
  type LambdaClient,
  type Runtime,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readRuntimes } from '@kappa/local/runtimes';

import { type Column, columns } from '../../runtime-images/cases/columns.ts';
import { makeZip } from '../../runtime-images/nodejs/zip.ts';
import { imageName, selectImages } from '../images/src/images.ts';
import { repository } from '../images/src/places.ts';
import { eventually } from '../src/eventually.ts';
import { explained } from '../src/explain.ts';
import { InstalledKappa, release } from '../src/installed.ts';

/*
 * One function in each language whose image a test run has, in pods of that image. What each language must do in detail is in
 * runtime-images/cases. One after the other: each brings a pool of its own, and the nodes are small.
 */

const here = new Set(selectImages([]).map((image) => imageName(image, { version: '', suffix: '' })));
const runtimes = readRuntimes(join(repository, 'runtime-images')).filter(({ image }) => here.has(image));
const languages = columns.flatMap((column, index): readonly Language[] => {
  const runtime = column.runtimes.flatMap((name) => runtimes.filter(({ id }) => id === name))[0];
  if (runtime === undefined) return [];
  return [{ ...column, title: `${column.title} as ${runtime.id}`, ...runtime, FunctionName: `in-language-${index}` }];
});

interface Language extends Column {
  readonly id: string;
  readonly image: string;
  readonly FunctionName: string;
}

let kappa: InstalledKappa;
let client: LambdaClient;
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  client = await kappa.lambda();
}, 60_000);
afterAll(async () => {
  client?.destroy();
  await kappa?.deleteFunctions(languages.map(({ FunctionName }) => FunctionName));
  await kappa?.stop();
}, 60_000);

const textOf = ({ Payload }: InvokeCommandOutput): unknown => JSON.parse(Buffer.from(Payload ?? []).toString());
const logOf = ({ LogResult }: InvokeCommandOutput): string => Buffer.from(LogResult ?? '', 'base64').toString();

test.each(languages)(
  '$title: a zip, a cold start, an answer, an error and their logs',
  async (language) => {
    const { id, FunctionName } = language;
    await kappa.removeFunctions([FunctionName]);
    try {
      await explained(kappa, { fn: FunctionName, pool: id }, () => runsAndFails(language));
    } finally {
      await kappa.deleteFunctions([FunctionName]);
    }
    await eventually('its pods are gone', async () => (await kappa.podsOf(FunctionName)).length === 0, 120_000);
  },
  300_000,
);

async function runsAndFails({ title, id, image, FunctionName, handler, makeFiles, thrown }: Language): Promise<void> {
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: id as Runtime,
      Handler: handler,
      Role: 'arn:aws:iam::000000000000:role/default',
      Code: { ZipFile: makeZip(await makeFiles()) },
      MemorySize: 512,
      Timeout: 60,
    }),
  );
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 60 }, { FunctionName });
  await kappa.poolReady(id);
  const call = (event: object) =>
    client.send(new InvokeCommand({ FunctionName, LogType: 'Tail', Payload: Buffer.from(JSON.stringify(event)) }));
  const startMs = performance.now();
  const first = await call({ do: 'echo', text: 'ü' });
  const coldMs = Math.round(performance.now() - startMs);
  expect([textOf(first), first.FunctionError]).toEqual([{ do: 'echo', text: 'ü' }, undefined]);
  const [, initMs] = /\tInit Duration: ([\d.]+) ms\t/.exec(logOf(first)) ?? [];
  expect(Number(initMs)).toBeGreaterThan(0);
  process.stdout.write(`${title}: cold start ${coldMs} ms, of it init ${initMs} ms\n`);

  const logged = await call({ do: 'log' });
  expect(logOf(logged)).toContain('printed ü\n');
  expect(logOf(logged)).not.toContain('Init Duration');
  const failed = await call({ do: 'throw' });
  expect([textOf(failed), failed.FunctionError]).toEqual([expect.objectContaining({ errorType: thrown }), 'Unhandled']);
  // A claim is told to the cluster a moment after it, beside the calls.
  const [pod] = await eventually('its pod is labelled', async () => {
    const pods = await kappa.podsOf(FunctionName);
    return pods.length > 0 && pods;
  });
  expect(pod?.spec.containers[0]?.image).toContain(image);
}

test('a runtime that no function uses has no pods', async () => {
  const unused = languages.map(({ id }) => id).filter((id) => !/^(nodejs|python)/.test(id));
  for (const id of unused) {
    const selector = `kappa.dev/pool=${id}`;
    await eventually(
      `no pods of ${id}`,
      async () => (await kappa.pods(release.poolNamespace, selector)).length === 0,
      240_000,
    );
  }
}, 600_000);
