import { existsSync, readFileSync } from 'node:fs';
import { run, runOk } from './run.ts';

/** Programs that the harness and what it starts call, and the Debian packages of each. */
export const packages: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  openssl: 'openssl',
  flock: 'util-linux',
  nsenter: 'util-linux',
  mount: 'mount',
  umount: 'mount',
  tar: 'tar',
  gcc: 'gcc libc6-dev',
  'pkg-config': 'pkg-config',
};

/** Numbers of the capabilities without which no node can run, by name. */
const neededCapabilities: Readonly<Record<string, number>> = {
  CAP_KILL: 5,
  CAP_NET_ADMIN: 12,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_ADMIN: 21,
};

const capSysResource = 24;

/** Bits of the process's effective capabilities in the text of /proc/self/status. */
export function parseCapabilities(status: string): bigint {
  return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
}

/** The process may lower oom_score_adj; without it containers need a wrapper around runc. */
export function mayLowerOomScore(): boolean {
  return has(parseCapabilities(readFileSync('/proc/self/status', 'utf8')), capSysResource);
}

/** What this machine lacks to run the cluster, as sentences; empty when nothing is missing. */
export async function listMissing(): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [`the cluster runs on Linux, and this is ${process.platform}`];
  if (process.getuid?.() !== 0) return ['the cluster needs root: run the command with sudo'];
  const capabilities = parseCapabilities(readFileSync('/proc/self/status', 'utf8'));
  const missing = Object.entries(neededCapabilities)
    .filter(([, bit]) => !has(capabilities, bit))
    .map(([name]) => `the capability ${name} is missing`);
  if (!existsSync('/sys/fs/cgroup')) missing.push('no cgroups are mounted at /sys/fs/cgroup');
  if (!/\boverlay$/m.test(readFileSync('/proc/filesystems', 'utf8')))
    missing.push('the kernel has no overlay file system');
  if ((await run(['unshare', '--net', 'true'])).code !== 0) missing.push('network namespaces cannot be made here');
  if ((await run(['sh', '-c', 'command -v go'])).code !== 0) missing.push('Go 1.26 or later is missing');
  return missing;
}

/** Installs the packages that are missing. Throws, naming them, where there is no apt-get. */
export async function installPackages(log: (line: string) => void): Promise<void> {
  const missing = new Set<string>();
  for (const [program, name] of Object.entries(packages)) {
    if ((await run(['sh', '-c', `command -v ${program}`])).code !== 0)
      for (const one of name.split(' ')) missing.add(one);
  }
  // runc is built with it
  if (missing.has('pkg-config') || (await run(['pkg-config', '--exists', 'libseccomp'])).code !== 0) {
    missing.add('libseccomp-dev');
  }
  if (missing.size === 0) return;
  const names = [...missing].join(' ');
  if ((await run(['sh', '-c', 'command -v apt-get'])).code !== 0) throw new Error(`please install ${names}`);
  log(`installing ${names}`);
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  await runOk(['apt-get', 'update', '-q'], { environment, timeoutMs: 300_000 });
  await runOk(['apt-get', 'install', '-y', '-q', ...missing], { environment, timeoutMs: 900_000 });
}

function has(capabilities: bigint, bit: number): boolean {
  return ((capabilities >> BigInt(bit)) & 1n) === 1n;
}
