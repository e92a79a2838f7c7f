import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { configMap, widget, widgetDefinition } from './testing.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'kappa-api-'));
const kubeconfig = join(stateDir, 'kubeconfig');
let child: ChildProcess;
let port = 0;

/** Starts the real process on the state directory and waits for its line. */
async function start(): Promise<void> {
  const main = new URL('./main.ts', import.meta.url).pathname;
  child = spawn(process.execPath, [main], {
    env: { ...process.env, KAPPA_STATE_DIR: stateDir, KAPPA_API_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk);
    if (output.includes('\n')) break;
  }
  port = Number(/:(\d+),/.exec(output)?.[1]);
}

async function kill(signal: NodeJS.Signals): Promise<number | null> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
  return child.exitCode;
}

beforeAll(start);
afterAll(async () => {
  if (child.exitCode === null) await kill('SIGKILL');
  rmSync(stateDir, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Record<string, unknown>;
}

interface Call {
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

interface Credentials {
  readonly ca: Buffer;
  readonly token: string;
}

function credentials(): Credentials {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
  return { ca: Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64'), token: users[0].user.token };
}

/** One plain HTTPS request with the kubeconfig's CA. */
function call(
  method: string,
  path: string,
  { token = credentials().token, headers = {}, body }: Call = {},
): Promise<Answer> {
  const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const all = { ...authorization, ...headers };
  const { ca } = credentials();
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, ca, agent: false, headers: all }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = String(response.headers['content-type']).startsWith('application/json');
        const answer = isJson ? JSON.parse(text) : { text };
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const json = { 'content-type': 'application/json' };
const maps = '/api/v1/namespaces/default/configmaps';
const post = (path: string, object: unknown) => call('POST', path, { headers: json, body: JSON.stringify(object) });

describe('the border', () => {
  test('the kubeconfig and the database are for their owner only', () => {
    for (const file of ['kubeconfig', 'api.sqlite', 'pki/token', 'pki/ca.key'])
      expect(statSync(join(stateDir, file)).mode & 0o077).toBe(0);
  });

  test('without a token nothing but health is answered', async () => {
    expect((await call('GET', maps, { token: null })).body).toMatchObject({
      kind: 'Status',
      code: 401,
      reason: 'Unauthorized',
    });
    expect((await call('GET', maps, { token: 'wrong' })).status).toBe(401);
    expect((await call('GET', '/version', { token: null })).status).toBe(401);
    expect((await call('GET', '/readyz', { token: null })).body).toEqual({ text: 'ok' });
  });

  test('a body above 3 MiB is refused', async () => {
    const answer = await call('POST', maps, { headers: json, body: Buffer.alloc(3 * 1024 * 1024 + 1, 0x20) });
    expect(answer.body).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge' });
  });

  test.each<[reason: string, method: string, path: string, code: number]>([
    ['an unknown resource', 'GET', '/api/v1/unicorns', 404],
    ['an unknown group', 'GET', '/apis/none.dev/v1', 404],
    ['an unknown path', 'GET', '/metrics', 404],
    ['an unknown subresource', 'GET', `${maps}/x/scale`, 404],
    ['a verb that does not exist', 'PUT', maps, 405],
    ['a namespaced object without namespace', 'GET', '/api/v1/configmaps/x', 400],
    ['an object that is not there', 'GET', `${maps}/x`, 404],
  ])('%s', async (_reason, method, path, code) => {
    const answer = await call(method, path);
    expect([answer.status, answer.body['kind'], answer.body['code']]).toEqual([code, 'Status', code]);
  });

  test('warnings come as headers', async () => {
    const { headers } = await post(maps, { ...configMap('warned'), colour: 'red' });
    expect(headers['warning']).toBe('299 - "unknown field \\"colour\\""');
  });
});

describe('a service account', () => {
  test('gets a token that opens the API until it is deleted', async () => {
    await post('/api/v1/namespaces/default/serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'bob' },
    });
    const path = '/api/v1/namespaces/default/serviceaccounts/bob';
    const answer = await post(`${path}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const token = String(Object(answer.body['status']).token);
    expect((await call('GET', maps, { token })).status).toBe(200);
    await call('DELETE', path);
    expect((await call('GET', maps, { token })).status).toBe(401);
  });

  test('a token for less than ten minutes is refused', async () => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 1 } };
    const answer = await post('/api/v1/namespaces/default/serviceaccounts/default/token', body);
    expect(answer.body).toMatchObject({ code: 422, details: { causes: [{ field: 'spec.expirationSeconds' }] } });
  });
});

describe('the end', () => {
  test('kill -9 loses nothing that was acknowledged; token and CA stay', async () => {
    await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', widgetDefinition());
    const written = await post(maps, configMap('kept', { data: { a: 'b' } }));
    const before = readFileSync(kubeconfig, 'utf8');
    await kill('SIGKILL');
    await start();
    expect(readFileSync(kubeconfig, 'utf8')).toBe(before);
    expect((await call('GET', `${maps}/kept`)).body).toEqual(written.body);
    const next = await post(maps, configMap('next'));
    expect(Number(Object(next.body['metadata']).resourceVersion)).toBeGreaterThan(
      Number(Object(written.body['metadata']).resourceVersion),
    );
    expect((await post('/apis/test.dev/v1/namespaces/default/widgets', widget('served'))).status).toBe(201);
  });

  test('SIGTERM ends it at once, open watches included', async () => {
    const watch = call('GET', `${maps}?watch=true`).catch(() => 'closed');
    await call('GET', maps);
    expect(await kill('SIGTERM')).toBe(0);
    await watch;
  });
});
