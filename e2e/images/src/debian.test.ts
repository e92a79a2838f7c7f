import { expect, test } from '@jest/globals';

import { parseSources, sourceLines } from './debian.ts';

const stanza = `Types: deb deb-src
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.test/security
Suites: bookworm-security
`;

test('deb822 sources are read', () => {
  expect(parseSources(stanza)).toEqual([
    { uri: 'http://mirror.test/debian', suite: 'bookworm' },
    { uri: 'http://mirror.test/debian', suite: 'bookworm-updates' },
    { uri: 'http://mirror.test/security', suite: 'bookworm-security' },
  ]);
});

test('one-line sources are read, with and without options', () => {
  const text =
    'deb [arch=amd64 signed-by=/k] http://a.test/debian trixie main\ndeb-src http://b.test sid main\ndeb http://c.test sid main';
  expect(parseSources(text)).toEqual([
    { uri: 'http://a.test/debian', suite: 'trixie' },
    { uri: 'http://c.test', suite: 'sid' },
  ]);
});

test('another suite comes from the mirrors of the own one, with its security updates', () => {
  expect(sourceLines(parseSources(stanza), 'bookworm', 'trixie')).toEqual([
    'deb http://mirror.test/debian trixie main',
    'deb http://mirror.test/security trixie-security main',
  ]);
});

test('a mirror without security updates gives none', () => {
  expect(sourceLines([{ uri: 'http://a.test', suite: 'sid' }], 'sid', 'trixie')).toEqual([
    'deb http://a.test trixie main',
  ]);
});

test('a machine without sources of its own suite is refused', () => {
  expect(() => sourceLines(parseSources(stanza), 'noble', 'trixie')).toThrow('apt has no source for noble');
});
