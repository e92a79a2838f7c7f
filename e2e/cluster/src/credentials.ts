import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addresses, type NodePlan } from './plan.ts';
import { runOk } from './run.ts';

/** Files that let the programs of the cluster trust each other. */
export interface Credentials {
  readonly directory: string;
  readonly caFile: string;
  readonly caKeyFile: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  /** What the API server shows to kubelets. */
  readonly kubeletClientCertificate: string;
  readonly kubeletClientKey: string;
  readonly accountKey: string;
  readonly accountPublicKey: string;
  /** Static tokens, one a line. */
  readonly tokenFile: string;
  /** kubeconfig of a user, `admin` (also read by people), a component or a node's name. */
  readonly kubeconfig: (user: string) => string;
}

/** Paths of the credentials below the run directory, existing or not. */
export function credentialsIn(runDir: string): Credentials {
  const directory = join(runDir, 'pki');
  const file = (name: string): string => join(directory, name);
  return {
    directory,
    caFile: file('ca.crt'),
    caKeyFile: file('ca.key'),
    serverCertificate: file('server.crt'),
    serverKey: file('server.key'),
    kubeletClientCertificate: file('kubelet-client.crt'),
    kubeletClientKey: file('kubelet-client.key'),
    accountKey: file('accounts.key'),
    accountPublicKey: file('accounts.pub'),
    tokenFile: file('tokens.csv'),
    kubeconfig: (user) => join(runDir, user === 'admin' ? 'kubeconfig' : `pki/${user}.kubeconfig`),
  };
}

/** User name and groups of each program, as Kubernetes' built-in roles expect them. */
function listUsers(nodes: readonly NodePlan[]): readonly (readonly [user: string, name: string, group: string])[] {
  return [
    ['admin', 'admin', 'system:masters'],
    ['controller-manager', 'system:kube-controller-manager', ''],
    ['scheduler', 'system:kube-scheduler', ''],
    ['proxy', 'system:kube-proxy', ''],
    ['netpol', 'netpol', ''],
    ...nodes.map((node) => [node.name, `system:node:${node.name}`, 'system:nodes'] as const),
  ];
}

/** Makes new keys, certificates (valid for 30 days), tokens and kubeconfigs. */
export async function writeCredentials(runDir: string, nodes: readonly NodePlan[]): Promise<Credentials> {
  const made = credentialsIn(runDir);
  mkdirSync(made.directory, { recursive: true, mode: 0o700 });
  await writeCa(made);
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'].map(
    (name) => `DNS:${name}`,
  );
  const ips = [addresses.control, '10.96.0.1', '127.0.0.1'].map((ip) => `IP:${ip}`);
  await writeCertificate(made, 'server', '/CN=kube-apiserver', `subjectAltName=${[...names, ...ips].join(',')}`);
  await writeCertificate(made, 'kubelet-client', '/O=system:masters/CN=kube-apiserver-kubelet-client');
  await runOk(['openssl', 'genrsa', '-out', made.accountKey, '2048']);
  await runOk(['openssl', 'rsa', '-in', made.accountKey, '-pubout', '-out', made.accountPublicKey]);
  const users = listUsers(nodes).map(([user, name, group]) => ({ user, name, group, token: token() }));
  const lines = users.map(({ user, name, group, token }) => `${token},${name},${user},"${group}"`);
  writeFileSync(made.tokenFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  for (const { user, token } of users) writeKubeconfig(made, user, token);
  return made;
}

async function writeCa(made: Credentials): Promise<void> {
  const usage = [
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign,digitalSignature',
  ];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', made.caKeyFile];
  await runOk([
    'openssl',
    'req',
    '-x509',
    ...key,
    '-out',
    made.caFile,
    '-days',
    '30',
    '-subj',
    '/CN=kappa-e2e',
    ...usage,
  ]);
}

async function writeCertificate(made: Credentials, name: string, subject: string, extension?: string): Promise<void> {
  const path = (ending: string): string => join(made.directory, `${name}.${ending}`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path('key')];
  const ca = ['-CA', made.caFile, '-CAkey', made.caKeyFile];
  const names = extension === undefined ? [] : ['-addext', extension];
  const usage = ['-addext', 'extendedKeyUsage=serverAuth,clientAuth'];
  const out = ['-out', path('crt'), '-days', '30', '-subj', subject];
  await runOk([
    'openssl',
    'req',
    '-x509',
    ...key,
    ...ca,
    ...out,
    '-addext',
    'basicConstraints=CA:FALSE',
    ...usage,
    ...names,
  ]);
}

function writeKubeconfig(made: Credentials, user: string, token: string): void {
  const server = `https://${addresses.control}:${addresses.apiPort}`;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'kappa-e2e', cluster: { server, 'certificate-authority': made.caFile } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'kappa-e2e', context: { cluster: 'kappa-e2e', user, namespace: 'default' } }],
    'current-context': 'kappa-e2e',
  };
  writeFileSync(made.kubeconfig(user), JSON.stringify(config, null, 2), { mode: 0o600 });
}

function token(): string {
  return randomBytes(24).toString('hex');
}
