import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestS3, testCredentials } from '@kappa/gateway/testing-s3';
import type { AwsCli } from './aws-cli.ts';

/** Somebody's own S3: the server that the chart ships too, with buckets of its own. */
export interface S3Server {
  readonly endpoint: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  makeBucket(name: string): Promise<void>;
  put(bucket: string, key: string, bytes: Buffer): Promise<void>;
  /** undefined = there is no such object. */
  get(bucket: string, key: string): Promise<Buffer | undefined>;
  stop(): Promise<void>;
}

/** Starts it on a free port. @param flags more of them */
export async function startS3(aws: AwsCli, ...flags: readonly string[]): Promise<S3Server> {
  const { endpoint, close } = await startTestS3(...flags);
  const directory = await mkdtemp(join(tmpdir(), 'kappa-e2e-s3-'));
  const s3 = aws.with({
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
  });
  return {
    endpoint,
    keys: testCredentials,
    makeBucket: async (name) => {
      await s3.json('s3api', 'create-bucket', '--bucket', name);
    },
    put: async (bucket, key, bytes) => {
      const file = join(directory, 'body');
      await writeFile(file, bytes);
      await s3.json('s3api', 'put-object', '--bucket', bucket, '--key', key, '--body', file);
    },
    get: async (bucket, key) => {
      const file = join(directory, 'got');
      const { code } = await s3.run(['s3api', 'get-object', '--bucket', bucket, '--key', key, file]);
      return code === 0 ? readFile(file) : undefined;
    },
    stop: async () => {
      await close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
