import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Programs, programPath } from './builds.ts';
import type { Credentials } from './credentials.ts';
import { addresses, controlName } from './plan.ts';
import type { Processes, ProcessSpec } from './processes.ts';
import { run, waitUntil } from './run.ts';

/** What the control plane's programs are started from. */
export interface ControlPlaneParts {
  readonly runDir: string;
  readonly programs: Programs;
  readonly credentials: Credentials;
  readonly processes: Processes;
}

/** Every request, without bodies: what the tests of permissions read. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

/** File of the API server's audit log: one JSON object a line. */
export function auditLog(runDir: string): string {
  return join(runDir, 'logs/audit.jsonl');
}

/** Starts etcd and the API server and waits until it serves. */
export async function startApiServer(parts: ControlPlaneParts): Promise<void> {
  mkdirSync(join(parts.runDir, 'logs'), { recursive: true });
  writeFileSync(join(parts.runDir, 'audit-policy.json'), JSON.stringify(auditPolicy));
  parts.processes.start(etcd(parts));
  parts.processes.start(apiServer(parts));
  await waitUntil('API server ready', 60_000, async () => {
    if (!parts.processes.isAlive('kube-apiserver')) parts.processes.start(apiServer(parts)); // etcd was not there yet
    return isServing(parts);
  });
}

/** Kills the API server and etcd, as a crash of their machine does. Their data stays. */
export function killApiServer(processes: Processes): void {
  processes.kill('kube-apiserver');
  processes.kill('etcd');
}

/** The API server answers, and with "ready". */
export async function isServing({ programs, credentials }: ControlPlaneParts): Promise<boolean> {
  const kubectl = programPath(programs, 'kube', 'kubectl');
  const command = [
    kubectl,
    '--kubeconfig',
    credentials.kubeconfig('admin'),
    '--request-timeout=5s',
    'get',
    '--raw',
    '/readyz',
  ];
  const { code, stdout } = await run(command, { netns: controlName });
  return code === 0 && stdout.trim() === 'ok';
}

/** Starts scheduler and controller manager. Those that run already are left alone. */
export function startControllers(parts: ControlPlaneParts): void {
  for (const spec of [controllerManager(parts), scheduler(parts)]) {
    if (!parts.processes.isAlive(spec.name)) parts.processes.start(spec);
  }
}

function etcd({ runDir, programs }: ControlPlaneParts): ProcessSpec {
  const client = 'http://127.0.0.1:2379';
  const peer = 'http://127.0.0.1:2380';
  const urls = [
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ];
  // Without fsync the disk does not slow the tests; a killed etcd still finds all it wrote in the page cache.
  const command = [programPath(programs, 'kube', 'etcd'), `--data-dir=${join(runDir, 'etcd')}`, '--unsafe-no-fsync'];
  return { name: 'etcd', group: controlName, command: [...command, '--log-level=warn', ...urls] };
}

function apiServer({ runDir, programs, credentials }: ControlPlaneParts): ProcessSpec {
  const flags = {
    'etcd-servers': 'http://127.0.0.1:2379',
    'bind-address': addresses.control,
    'advertise-address': addresses.control,
    'secure-port': addresses.apiPort,
    'tls-cert-file': credentials.serverCertificate,
    'tls-private-key-file': credentials.serverKey,
    'client-ca-file': credentials.caFile,
    'token-auth-file': credentials.tokenFile,
    'service-account-key-file': credentials.accountPublicKey,
    'service-account-signing-key-file': credentials.accountKey,
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'kubelet-client-certificate': credentials.kubeletClientCertificate,
    'kubelet-client-key': credentials.kubeletClientKey,
    'kubelet-preferred-address-types': 'InternalIP',
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'service-cluster-ip-range': addresses.serviceRange,
    'allow-privileged': true,
    'audit-policy-file': join(runDir, 'audit-policy.json'),
    'audit-log-path': auditLog(runDir),
    'audit-log-maxsize': 2000,
  };
  const command = [programPath(programs, 'kube', 'kube-apiserver'), ...makeFlags(flags)];
  return { name: 'kube-apiserver', group: controlName, command };
}

function controllerManager({ programs, credentials }: ControlPlaneParts): ProcessSpec {
  const flags = {
    kubeconfig: credentials.kubeconfig('controller-manager'),
    'service-account-private-key-file': credentials.accountKey,
    'root-ca-file': credentials.caFile,
    'cluster-signing-cert-file': credentials.caFile,
    'cluster-signing-key-file': credentials.caKeyFile,
    'use-service-account-credentials': true,
    'leader-elect': false,
    'bind-address': '127.0.0.1',
    'cert-dir': join(credentials.directory, 'controller-manager'),
  };
  const command = [programPath(programs, 'kube', 'kube-controller-manager'), ...makeFlags(flags)];
  return { name: 'kube-controller-manager', group: controlName, command };
}

function scheduler({ programs, credentials }: ControlPlaneParts): ProcessSpec {
  const flags = {
    kubeconfig: credentials.kubeconfig('scheduler'),
    'leader-elect': false,
    'bind-address': '127.0.0.1',
    'cert-dir': join(credentials.directory, 'scheduler'),
  };
  const command = [programPath(programs, 'kube', 'kube-scheduler'), ...makeFlags(flags)];
  return { name: 'kube-scheduler', group: controlName, command };
}

/** Command line flags of an object. */
export function makeFlags(flags: Readonly<Record<string, string | number | boolean>>): readonly string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
