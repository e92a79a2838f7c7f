import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { localColumns } from '../../runtime-images/cases/columns.ts';
import { makeZip } from '../../runtime-images/nodejs/zip.ts';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { makeFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Functions in every language that this machine has, through the front door. What each language must do in detail is in
 * runtime-images/cases.
 */

const columns = await localColumns();
let kappa: TestPlatform;
let aws: AwsCli;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-runtimes-'));
  kappa = await startTestPlatform({ examples: false });
  aws = await provideAwsCli(kappa.endpoint);
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

test.each(columns.map((column, index) => [column.title, `runtime-${index}`, column] as const))(
  '%s: create-function with a zip, invoke, and an error',
  async (_title, name, { runtime, handler, makeFiles, thrown }) => {
    const zip = join(folder, `${name}.zip`);
    const out = join(folder, `${name}.json`);
    writeFileSync(zip, makeZip(await makeFiles()));
    const role = ['--role', 'arn:aws:iam::000000000000:role/any', '--zip-file', `fileb://${zip}`];
    await aws.lambda('create-function', '--function-name', name, '--runtime', runtime, '--handler', handler, ...role);
    await aws.lambda('wait', 'function-active-v2', '--function-name', name);
    const call = (event: object) => [name, '--payload', JSON.stringify(event), out];
    expect(await aws.lambda('invoke', '--function-name', ...call({ do: 'echo', text: 'ü' }))).not.toHaveProperty(
      'FunctionError',
    );
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual({ do: 'echo', text: 'ü' });
    expect(await aws.lambda('invoke', '--function-name', ...call({ do: 'throw' }))).toMatchObject({
      FunctionError: 'Unhandled',
    });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ errorType: thrown });
  },
  120_000,
);

test('a bootstrap in a manifest is a program', async () => {
  const bootstrap = `#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while id=$(curl -sS -o /dev/null -D - "$api/next" | tr -d '\\r' | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //Ip') && [ -n "$id" ]; do
  curl -sS -o /dev/null -d '"hello from a shell"' "$api/$id/response"
done
`;
  await kappa.applyReady(makeFunction('shell', { bootstrap }, { runtime: 'provided.al2023' }));
  expect(await invoke(kappa.endpoint, 'shell')).toMatchObject({ payload: 'hello from a shell', functionError: null });
});

test('a package without a bootstrap is answered as on Lambda', async () => {
  await kappa.applyReady(makeFunction('nothing', { main: 'x' }, { runtime: 'provided.al2023' }));
  const { functionError, payload } = await invoke(kappa.endpoint, 'nothing');
  expect({ functionError, payload }).toEqual({
    functionError: 'Unhandled',
    payload: {
      errorType: 'Runtime.InvalidEntrypoint',
      errorMessage: expect.stringMatching(
        /^RequestId: \S+ Error: Couldn't find valid bootstrap\(s\): \[\S+\/bootstrap \S+\/bootstrap\]$/,
      ),
    },
  });
});
