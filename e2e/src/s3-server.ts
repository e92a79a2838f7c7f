import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AwsCli } from './aws-cli.ts';
import { eventually } from './eventually.ts';

const version = 'v1.8.0';

/** Somebody's own S3: the server that the chart ships too, with buckets of its own. */
export interface S3Server {
  readonly endpoint: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  makeBucket(name: string): Promise<void>;
  put(bucket: string, key: string, bytes: Buffer): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it on a free port; builds it from its Go module when the machine has none yet (a minute). */
export async function startS3(aws: AwsCli): Promise<S3Server> {
  const keys = { accessKeyId: 'kappa-test', secretAccessKey: 'kappa-test-secret' };
  const program = await provideServer();
  const directory = await mkdtemp(join(tmpdir(), 'kappa-e2e-s3-'));
  const [objects, metadata] = [join(directory, 'objects'), join(directory, 'metadata')];
  for (const folder of [objects, metadata]) await mkdir(folder);
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const flags = ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', '--sidecar', metadata, objects];
  const env = { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey };
  const server = spawn(program, flags, { env, stdio: 'ignore' });
  try {
    await eventually('the S3 server answers', async () => (await fetch(endpoint)).status > 0);
  } catch (err) {
    server.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
    throw err;
  }
  const s3 = aws.with({
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  });
  return {
    endpoint,
    keys,
    makeBucket: async (name) => {
      await s3.json('s3api', 'create-bucket', '--bucket', name);
    },
    put: async (bucket, key, bytes) => {
      const file = join(directory, 'body');
      await writeFile(file, bytes);
      await s3.json('s3api', 'put-object', '--bucket', bucket, '--key', key, '--body', file);
    },
    stop: async () => {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Path of the program, in the cache of the cluster harness. */
async function provideServer(): Promise<string> {
  const tools = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kappa-cluster/tools');
  const program = join(tools, 'versitygw');
  await mkdir(tools, { recursive: true });
  const module = `github.com/versity/versitygw/cmd/versitygw@${version}`;
  const build = `go version -m "$1" 2>/dev/null | grep -q "${version}" || go install -trimpath -ldflags="-s -w" ${module}`;
  // Two suites must not build at the same time; GOFLAGS of this repository's own module do not apply.
  await promisify(execFile)('flock', [join(tools, 'versitygw.lock'), 'sh', '-c', build, 'sh', program], {
    env: { ...process.env, GOBIN: tools, GOFLAGS: '-mod=mod', GOWORK: 'off' },
    cwd: tools,
  });
  return program;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = Object(server.address());
  server.close();
  await once(server, 'close');
  return Number(port);
}
