import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { tools } from '../../images/src/debian.ts';
import { listShortages } from './disk.ts';
import { packages } from './requirements.ts';

/** What a machine has: said in the README, in every Debian ("essential", and apt), or brought by who gives a cluster (kubectl). */
const given = ['go', 'npm', 'git', 'kubectl', 'apt-get', 'sh', 'nice', 'unshare', 'chroot', 'find'];

/** First words of the commands in the sources: `run(['ip', …`, `run('tar', …`, `spawn('sh', …`. */
function programsOf(folder: string): readonly string[] {
  const directory = new URL(`${folder}/`, import.meta.url);
  const files = readdirSync(directory).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const call = /\b(?:run|runOk|spawn|execFile|withLock)\(\s*\[?\s*'([a-z][\w-]*)'/g;
  return files.flatMap((name) =>
    [...readFileSync(new URL(name, directory), 'utf8').matchAll(call)].map(([, program = '']) => program),
  );
}

test.each(['.', '../../images/src'])('whatever %s calls is installed when it is missing', (folder) => {
  const called = programsOf(folder);
  expect(called).toContain('tar');
  const known = [...given, ...Object.keys(packages), ...Object.keys(tools)];
  expect(called.filter((program) => !known.includes(program))).toEqual([]);
});

test('places on the same disk share its room', () => {
  const free = { device: 1, freeBytes: 10 * 2 ** 30, neededGiB: 6 };
  expect(listShortages([{ ...free, what: 'a' }])).toEqual([]);
  expect(
    listShortages([
      { ...free, what: 'a' },
      { ...free, what: 'b', device: 2 },
    ]),
  ).toEqual([]);
  expect(
    listShortages([
      { ...free, what: 'a' },
      { ...free, what: 'b' },
    ]),
  ).toEqual(['a and b need 12 GiB of disk, 10.0 are free']);
});
