import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { machineSources } from './debian.ts';
import { run } from './run.ts';

/** Nobody reads or runs these in a container. Licences (usr/share/doc/PACKAGE/copyright) stay. */
const unneeded = [
  'boot',
  'dev',
  'usr/bin/openssl',
  'usr/games',
  'usr/include',
  'usr/lib/systemd',
  'usr/lib/udev',
  'usr/sbin/iconvconfig',
  'usr/share/bash-completion',
  'usr/share/bug',
  'usr/share/debconf',
  'usr/share/doc-base',
  'usr/share/gcc',
  'usr/share/gdb',
  'usr/share/info',
  'usr/share/lintian',
  'usr/share/locale',
  'usr/share/man',
  'usr/share/menu',
  'usr/share/perl5',
  'usr/share/pixmaps',
  'usr/share/polkit-1',
  'usr/src',
  'var/cache',
  'var/lib/apt',
  'var/lib/dpkg',
];
const unneededIn: readonly (readonly [folder: string, name: RegExp])[] = [
  ['usr/bin', /^(deb-systemd|debconf|mawk|localedef|ch(age|fn|sh)|expiry|gpasswd|passwd|pdb|pygettext|py3|pydoc)/],
  ['usr/sbin', /^(dpkg-|zic$|deb-systemd|[a-z]*(pw|gr|user|group)[a-z]*$)/],
  ['usr/lib/x86_64-linux-gnu', /^(gconv|audit|perl)/],
  ['usr/lib/aarch64-linux-gnu', /^(gconv|audit|perl)/],
];

/** Extracts `packages` of `suite` and what they depend on into the new folder `root`; no package's own scripts run. */
export async function extractPackages(root: string, suite: string, packages: readonly string[]): Promise<void> {
  await run('mmdebstrap', [
    '--variant=extract',
    // A mirror may be of some day that is past.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    // Before trixie no package says that /bin is /usr/bin.
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    `--include=${packages.join(',')}`,
    '--dpkgopt=path-exclude=/usr/share/doc/*/*',
    '--dpkgopt=path-include=/usr/share/doc/*/copyright',
    suite,
    root,
    ...machineSources(suite),
  ]);
}

/** Does for a base what the packages' scripts would have done: applets, accounts, certificates, the linker's cache. */
export async function finishBase(root: string): Promise<void> {
  const at = (path: string): string => join(root, path);
  await run('chroot', [root, '/usr/bin/busybox', '--install', '-s', '/usr/bin']);
  writeFileSync(
    at('etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n',
  );
  writeFileSync(at('etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  writeFileSync(
    at('etc/nsswitch.conf'),
    'passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\nservices: files\n',
  );
  for (const name of ['hostname', 'resolv.conf', 'fstab']) rmSync(at(`etc/${name}`), { force: true });
  const folder = at('usr/share/ca-certificates/mozilla');
  const certificates = readdirSync(folder)
    .filter((name) => name.endsWith('.crt'))
    .sort();
  writeFileSync(at('etc/ca-certificates.conf'), certificates.map((name) => `mozilla/${name}\n`).join(''));
  await run('chroot', [root, '/usr/sbin/update-ca-certificates']);
  await run('chroot', [root, '/usr/sbin/ldconfig']);
  removeUnneeded(root);
  for (const name of ['boot', 'dev', 'proc', 'sys', 'run', 'opt', 'var/cache'])
    mkdirSync(at(name), { recursive: true });
}

/** Does for a root file system with OpenJDK what its package's scripts would have done: its name on PATH, certificates, shared classes. */
export async function finishJava(root: string): Promise<void> {
  const [home = ''] = readdirSync(join(root, 'usr/lib/jvm')).filter((name) => /^java-\d+-openjdk-/.test(name));
  symlinkSync(`../lib/jvm/${home}/bin/java`, join(root, 'usr/bin/java'));
  const certificates = 'usr/share/ca-certificates/mozilla';
  const names = readdirSync(join(root, certificates)).filter((name) => name.endsWith('.crt'));
  const list = `${root}.certificates`;
  writeFileSync(list, names.map((name) => `+/${certificates}/${name}\n`).join(''));
  mkdirSync(join(root, 'etc/ssl/certs/java'), { recursive: true });
  // Java finds its libraries by /proc.
  const store = 'java -jar /usr/share/ca-certificates-java/ca-certificates-java.jar -storepass changeit';
  const script = `mount -t proc proc "$0/proc" && chroot "$0" ${store} < "$1" && chroot "$0" java -Xshare:dump`;
  mkdirSync(join(root, 'proc'), { recursive: true });
  await run('unshare', ['--mount', 'sh', '-ec', script, root, list]);
}

/** Makes `root` the difference to `base`: what the base has is the base's, the rest is a layer upon it. */
export function finishUpper(root: string, base: string): void {
  removeUnneeded(root);
  for (const name of ['etc/ld.so.cache', 'etc/passwd', 'etc/group']) rmSync(join(root, name), { force: true });
  removeShared(root, base);
}

function removeUnneeded(root: string): void {
  for (const path of unneeded) rmSync(join(root, path), { recursive: true, force: true });
  for (const [folder, name] of unneededIn) {
    if (!existsSync(join(root, folder))) continue;
    for (const entry of readdirSync(join(root, folder))) {
      if (name.test(entry)) rmSync(join(root, folder, entry), { recursive: true, force: true });
    }
  }
}

/** Removes below `upper` each file that `lower` has, but for programs in place of applets, and empty folders. @returns whether nothing is left */
function removeShared(upper: string, lower: string): boolean {
  let isEmpty = true;
  for (const name of readdirSync(upper)) {
    const path = join(upper, name);
    const below = lstatSync(join(lower, name), { throwIfNoEntry: false });
    if (lstatSync(path).isDirectory()) {
      const isBare = removeShared(path, join(lower, name));
      if (isBare && below !== undefined) rmSync(path, { recursive: true });
      isEmpty &&= isBare && below !== undefined;
      continue;
    }
    const isShared = below?.isSymbolicLink() === lstatSync(path).isSymbolicLink();
    if (isShared) rmSync(path);
    else isEmpty = false;
  }
  return isEmpty;
}
