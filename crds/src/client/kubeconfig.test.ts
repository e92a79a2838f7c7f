import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { isUnavailable } from './errors.ts';
import { findAccess, type Surroundings } from './kubeconfig.ts';
import { FakeApi } from './testing.ts';
import { startEmbedded } from './testing-embedded.ts';
import { connectTransport, type Transport } from './transport.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kappa-kubeconfig-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const surroundings = (env: Record<string, string> = {}): Surroundings => ({
  env,
  home: join(directory, 'home'),
  accountDirectory: join(directory, 'account'),
});
const write = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const configOf = (user: object, cluster: object = {}): string =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1/base', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
const optionsOf = async (user: object, cluster: object = {}): Promise<object> => {
  const options = {};
  await findAccess(write('config', configOf(user, cluster)), surroundings()).authenticate(options);
  return options;
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('what a kubeconfig says reaches the request', () => {
  test.each<[string, object, object, object]>([
    ['a token', { token: 't' }, {}, { headers: { authorization: 'Bearer t' } }],
    ['a password', { username: 'a', password: 'b' }, {}, { headers: { authorization: `Basic ${base64('a:b')}` } }],
    [
      'a certificate',
      { 'client-certificate-data': base64('C'), 'client-key-data': base64('K') },
      {},
      { cert: 'C', key: 'K' },
    ],
    ['a CA', {}, { 'certificate-authority-data': base64('A') }, { ca: 'A' }],
    ['no check', {}, { 'insecure-skip-tls-verify': true }, { rejectUnauthorized: false }],
    ['a name', {}, { 'tls-server-name': 'n' }, { servername: 'n' }],
    ['nothing', {}, {}, {}],
  ])('%s', async (_what, user, cluster, expected) => {
    expect(await optionsOf(user, cluster)).toEqual(expected);
  });

  test('files are found beside it', async () => {
    write('ca.crt', 'A');
    write('token', 't\n');
    expect(await optionsOf({ tokenFile: 'token' }, { 'certificate-authority': 'ca.crt' })).toEqual({
      ca: 'A',
      headers: { authorization: 'Bearer t' },
    });
  });

  test('a login helper is run, by client-node', async () => {
    const status = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'helped' },
    };
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', `console.log(${JSON.stringify(JSON.stringify(status))})`],
      interactiveMode: 'Never',
    };
    expect(await optionsOf({ exec }, { server: 'https://127.0.0.1:1' })).toMatchObject({
      headers: { Authorization: 'Bearer helped' },
    });
  });
});

describe('the configuration is found', () => {
  test('in KUBECONFIG, before the home directory, before the account', () => {
    mkdirSync(join(directory, 'home', '.kube'), { recursive: true });
    const pod = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    expect(findAccess(undefined, surroundings(pod)).server.href).toBe('https://[fd00::1]:6443/');
    write('home/.kube/config', configOf({}, { server: 'https://home' }));
    expect(findAccess(undefined, surroundings(pod)).server.href).toBe('https://home/');
    const named = write('named', configOf({}, { server: 'https://named' }));
    expect(findAccess(undefined, surroundings({ ...pod, KUBECONFIG: named })).server.href).toBe('https://named/');
  });

  test('in several files: the first that says something counts', () => {
    const users = write('users', JSON.stringify({ users: [{ name: 'u', user: { token: 't' } }] }));
    const both = [users, join(directory, 'missing'), write('rest', configOf({}))].join(delimiter);
    expect(findAccess(undefined, surroundings({ KUBECONFIG: both })).server.href).toBe('http://127.0.0.1:1/base');
  });

  test('or there is no client', () => {
    expect(() => findAccess(undefined, surroundings())).toThrow('no kubeconfig');
    expect(() => findAccess(write('config', '{}'), surroundings())).toThrow('no current cluster');
  });
});

test('a token that is replaced is used at once; one that cannot be read for a moment stays', async () => {
  const api = await new FakeApi().start();
  const { server } = JSON.parse(readFileSync(api.kubeconfig, 'utf8')).clusters[0].cluster;
  const token = write('token', 'first');
  const transport = connectTransport(write('config', configOf({ tokenFile: token }, { server })), surroundings());
  const call = () => transport.json({ method: 'GET', path: '/api/v1/configmaps' });
  await call();
  write('token', 'second');
  await call();
  rmSync(token);
  await call();
  expect(api.requests.map(({ authorization }) => authorization)).toEqual([
    'Bearer first',
    'Bearer second',
    'Bearer second',
  ]);
  await api.stop();
});

test('in a pod: the same client goes on when the token and the CA of the cluster are replaced', async () => {
  const account = join(directory, 'account');
  mkdirSync(account);
  const useAccountOf = (state: string): void => {
    const { clusters, users } = parse(readFileSync(join(state, 'kubeconfig'), 'utf8'));
    writeFileSync(join(account, 'ca.crt'), Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64'));
    writeFileSync(join(account, 'token'), `${users[0].user.token}\n`);
  };
  const states = [join(directory, 'one'), join(directory, 'two')] as const;
  let server = await startEmbedded(states[0], 0);
  try {
    useAccountOf(states[0]);
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(server.port) };
    const transport = connectTransport(undefined, surroundings(env));
    await read(transport);
    await server.stop();
    server = await startEmbedded(states[1], server.port);
    const refused = await read(transport).catch((error: unknown) => error);
    expect(isUnavailable(refused)).toBe(true); // signed by a CA that this account does not know
    useAccountOf(states[1]);
    expect(await read(transport)).toMatchObject({ kind: 'NamespaceList' });
    cpSync(join(account, 'token'), join(account, 'old'));
    writeFileSync(join(account, 'token'), 'expired');
    await expect(read(transport)).rejects.toMatchObject({ code: 401 });
    cpSync(join(account, 'old'), join(account, 'token'));
    expect(await read(transport)).toMatchObject({ kind: 'NamespaceList' });
  } finally {
    await server.stop();
  }
});

function read(transport: Transport): Promise<unknown> {
  return transport.json({ method: 'GET', path: '/api/v1/namespaces' });
}
