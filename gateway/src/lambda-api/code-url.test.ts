import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';

import { codeLinks } from './code-url.ts';

const sha256 = 'ab'.repeat(32);
const { privateKey } = generateKeyPairSync('ed25519');
let nowMs = 1_800_000_000_000;
const links = codeLinks(privateKey, () => nowMs);

function partsOf(link: string): [sha256: string, expires: string, signature: string] {
  const { pathname, searchParams } = new URL(link);
  return [pathname.split('/').at(-1) ?? '', searchParams.get('expires') ?? '', searchParams.get('signature') ?? ''];
}

test('a link holds ten minutes, on every gateway of the install', () => {
  const link = links.make('http://kappa.test', sha256);
  expect(link).toMatch(/^http:\/\/kappa\.test\/code\/sha256\/(ab){32}\?expires=1800000600&signature=[0-9a-f]{64}$/);
  expect(codeLinks(privateKey, () => nowMs).holds(...partsOf(link))).toBe(true);
  nowMs += 600_000;
  expect(links.holds(...partsOf(link))).toBe(false);
  nowMs -= 600_000;
});

test('nothing of it can be changed', () => {
  const [, expires, signature] = partsOf(links.make('http://kappa.test', sha256));
  expect(links.holds('cd'.repeat(32), expires, signature)).toBe(false);
  expect(links.holds(sha256, String(Number(expires) + 1), signature)).toBe(false);
  expect(
    links.holds(
      sha256,
      expires,
      signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    ),
  ).toBe(false);
  expect(links.holds(sha256, 'undefined', 'undefined')).toBe(false);
  const { privateKey: other } = generateKeyPairSync('ed25519');
  expect(codeLinks(other, () => nowMs).holds(sha256, expires, signature)).toBe(false);
});
