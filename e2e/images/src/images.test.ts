import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

import { imageName, images, selectImages } from './images.ts';
import { parts } from './parts.ts';
import { repository } from './places.ts';

const tags = { version: '1.2.3', suffix: '' };
const namesOf = (names: readonly string[]): string[] => selectImages(names).map((image) => imageName(image, tags));

test.each<[reason: string, names: string[], want: string[]]>([
  ['a name without prefix', ['gateway'], ['kappa/gateway:1.2.3']],
  ['a full name', ['kappa/redis'], ['kappa/redis:8.1']],
  ['no tag means the default one', ['runtime-python'], ['kappa/runtime-python:3.13']],
  ['a tag', ['runtime-python:3.13'], ['kappa/runtime-python:3.13']],
  [
    'the table decides the order',
    ['controller', 'gateway', 'controller'],
    ['kappa/gateway:1.2.3', 'kappa/controller:1.2.3'],
  ],
])('selectImages: %s', (_reason, names, want) => {
  expect(namesOf(names)).toEqual(want);
});

test('without names all default images are chosen', () => {
  expect(selectImages([])).toEqual(images.filter((image) => image.isDefault));
});

test('what can be had for x86-64 only is no default elsewhere', () => {
  expect(images.find(({ repository: name }) => name === 'kappa/runtime-dotnet')?.isDefault).toBe(
    process.arch === 'x64',
  );
});

test('an unknown name is answered with the known ones', () => {
  expect(() => selectImages(['runtime-python:2.7'])).toThrow(
    /no image runtime-python:2\.7; there are gateway, .*store/,
  );
});

test('a suffix is for runtime images only', () => {
  const names = selectImages([]).map((image) => imageName(image, { version: '1', suffix: '-b' }));
  expect(names).toContain('kappa/runtime-nodejs:24-b');
  expect(names).toContain('kappa/gateway:1');
});

test('runtime images have the names of runtimes.yaml', () => {
  const table = readFileSync(join(repository, 'runtime-images/runtimes.yaml'), 'utf8');
  for (const image of images.filter(({ repository: name }) => name.startsWith('kappa/runtime-'))) {
    expect(table).toContain(`image: ${imageName(image, tags)}\n`);
  }
});

test.each(images.map((image) => [imageName(image, tags), image] as const))(
  '%s: what the Dockerfile copies is an input, so a change of it rebuilds the image',
  (_name, image) => {
    const known = [...image.inputs, ...image.parts.flatMap((part) => parts[part].inputs)];
    const lines = readFileSync(join(repository, image.dockerfile), 'utf8').split('\n');
    const sources = lines.flatMap((line) => /^COPY (?!--from)(.*) \S+$/.exec(line)?.[1]?.split(' ') ?? []);
    const unknown = sources.filter((source) => !known.some((path) => source === path || source.startsWith(`${path}/`)));
    expect(unknown).toEqual([]);
  },
);

test.each(images.map((image) => [imageName(image, tags), image] as const))(
  '%s: runs as a numeric user, has its labels, and takes its base by argument',
  (_name, image) => {
    const text = readFileSync(join(repository, image.dockerfile), 'utf8');
    expect(text).toMatch(/^USER 65532:65532$/m);
    expect(text).toMatch(/^ARG BASE=(docker\.io|mcr\.microsoft\.com)\//m);
    for (const label of ['title', 'description', 'source', 'licenses']) {
      expect(text).toContain(`org.opencontainers.image.${label}=`);
    }
  },
);
