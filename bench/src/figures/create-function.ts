import { hash, randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateFunctionCommand, GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { asSigner } from '../api-client.ts';
import { BenchPlatform, until } from '../bench-platform.ts';
import type { Row } from '../figure.ts';
import { show, summarize } from '../stats.ts';
import { timed } from '../timed.ts';
import { zipOf } from '../zip.ts';

const codeBytes = 10_000_000;

/**
 * From CreateFunction with a zip of 10 MB until GetFunctionConfiguration says Active, which it says when a call would find the function; by the AWS SDK, which
 * puts the zip in base64 and hashes it. Each zip is another one and does not compress. Beside it: that part of the SDK's alone, and the same bytes
 * written to the disk of the code store.
 */
export async function createFunction(rounds: number): Promise<readonly Row[]> {
  const kappa = await BenchPlatform.start({ KAPPA_AUTH: 'sigv4' });
  try {
    await kappa.kubectl(['create', 'serviceaccount', 'bench', '-n', 'default']);
    return await asSigner(kappa, (client) => measure(client, kappa.stateDir, rounds));
  } finally {
    await kappa.stop();
  }
}

async function measure(client: LambdaClient, folder: string, rounds: number): Promise<readonly Row[]> {
  const created: number[] = [];
  const encoded: number[] = [];
  const written: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const files = {
      'index.mjs': 'export const handler = async (event) => event;\n',
      'data.bin': randomBytes(codeBytes),
    };
    const zip = await zipOf(files);
    const ofCreate = await timed(() => createToActive(client, `large-${round}`, zip));
    const ofEncoding = await timed(async () => hash('sha256', JSON.stringify({ ZipFile: zip.toString('base64') })));
    const ofWriting = await timed(() => writeDurably(join(folder, 'floor.bin'), zip));
    if (round === 0) continue;
    created.push(ofCreate.ms);
    encoded.push(ofEncoding.ms);
    written.push(ofWriting.ms);
  }
  const total = summarize(created);
  return [
    {
      figure: 'CreateFunction of a 10 MB zip to Active, AWS SDK, local mode',
      measured: `${show(total, 0)} ms`,
      floor: `base64 and sha256 ${show(summarize(encoded), 0)} ms; 10 MB to the disk ${show(summarize(written), 0)} ms`,
      target: '≤ 1500 ms',
      isMet: total.median <= 1500,
    },
  ];
}

async function createToActive(client: LambdaClient, FunctionName: string, ZipFile: Buffer): Promise<void> {
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: 'arn:aws:iam::000000000000:role/bench',
      Code: { ZipFile },
    }),
  );
  const state = async () => (await client.send(new GetFunctionConfigurationCommand({ FunctionName }))).State;
  await until(`${FunctionName} is Active`, async () => (await state()) === 'Active', 10);
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
    await rm(path);
  }
}
