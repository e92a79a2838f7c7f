import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './run.ts';

/** One `deb` line's facts. */
export interface DebianSource {
  /** Address of the mirror. */
  readonly uri: string;
  /** e.g. `bookworm`, `bookworm-security`. */
  readonly suite: string;
}

/** The sources of apt's two formats (one-line `.list`, deb822 `.sources`), in the order of the text. */
export function parseSources(text: string): DebianSource[] {
  const oneLine = [...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm)].map(([, uri = '', suite = '']) => ({
    uri,
    suite,
  }));
  const stanzas = text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string[] =>
      new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(stanza)?.[1]?.split(/\s+/).filter(Boolean) ?? [];
    if (!field('Types').includes('deb')) return [];
    return field('URIs').flatMap((uri) => field('Suites').map((suite) => ({ uri, suite })));
  });
  return [...oneLine, ...stanzas];
}

/** `deb` lines for `suite` from the mirrors that serve this machine's own suite `own`. @throws Error when it has none */
export function sourceLines(sources: readonly DebianSource[], own: string, suite: string): string[] {
  const main = sources.find((source) => source.suite === own);
  if (main === undefined) throw new Error(`apt has no source for ${own}: is this Debian?`);
  const security = sources.find((source) => source.suite === `${own}-security`);
  return [
    `deb ${main.uri} ${suite} main`,
    // What is not released has no fixes beside it.
    ...(security === undefined || suite === 'sid' ? [] : [`deb ${security.uri} ${suite}-security main`]),
  ];
}

/** This machine's mirrors, for another suite. */
export function machineSources(suite: string): string[] {
  const own = /^VERSION_CODENAME=(\S+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  const texts = ['/etc/apt/sources.list', ...files.map((name) => join(folder, name))]
    .filter((path) => existsSync(path) && /\.(list|sources)$/.test(path))
    .map((path) => readFileSync(path, 'utf8').replace(/^#.*\n/gm, ''));
  return sourceLines(texts.flatMap(parseSources), own, suite);
}

/** Commands that the images need, and their Debian packages. */
export const tools = { buildah: 'buildah', mmdebstrap: 'mmdebstrap', xz: 'xz-utils' } as const;

/** Installs what this machine lacks. Needs root and Debian's apt only when something is missing. */
export async function installTools(): Promise<void> {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/bin`.split(':');
  const missing = Object.entries(tools)
    .filter(([command]) => !path.some((folder) => existsSync(join(folder, command))))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env });
  await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing], { env });
}
