import { expect, test } from '@jest/globals';
import { ZipFile } from 'yazl';

import { checkZip, unpackedBytesOf, zipInMemory } from './zip-check.ts';

async function zipOf(
  files: Readonly<Record<string, string>>,
  { comment = '', forceZip64Format = false } = {},
): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end({ comment, forceZip64Format });
  const pieces: Buffer[] = [];
  for await (const piece of zip.outputStream as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The same zip whose only entry says that it has so many bytes unpacked. */
function claiming(zip: Buffer, bytes: number): Buffer {
  const entryAt = zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  const changed = Buffer.from(zip);
  changed.writeUInt32LE(bytes, entryAt + 24);
  return changed;
}

const limit = 262_144_000;
const check = (zip: Buffer): Promise<void> => checkZip(zipInMemory(zip), limit);

test('a zip is taken, also with a comment', async () => {
  await check(await zipOf({ 'index.mjs': 'x', 'lib/a.mjs': 'y' }));
  await check(await zipOf({ 'index.mjs': 'x' }, { comment: 'a comment' }));
  await check(claiming(await zipOf({ a: 'x' }), limit));
});

test('a directory that is read in several pieces', async () => {
  const names = [...Array(2_000).keys()].map((n) => `${n}-${'folder/'.repeat(100)}file`);
  const zip = await zipOf(Object.fromEntries(names.map((name) => [name, 'text'])));
  expect(await unpackedBytesOf(zipInMemory(zip))).toBe(8_000);
});

test.each<[reason: string, zip: () => Promise<Buffer>, message: RegExp]>([
  ['nothing', async () => Buffer.alloc(0), /^Could not unzip uploaded file\./],
  ['a text', async () => Buffer.from('x'.repeat(100)), /^Could not unzip uploaded file\./],
  ['half a zip', async () => (await zipOf({ a: 'x' })).subarray(0, -30), /^Could not unzip uploaded file\./],
  [
    'its second half',
    async () => (await zipOf({ a: 'x'.repeat(99) })).subarray(40),
    /^Could not unzip uploaded file\./,
  ],
  [
    'something before it',
    async () => Buffer.concat([Buffer.from('#!/bin/sh\n'), await zipOf({ a: 'x' })]),
    /^Could not unzip uploaded file\./,
  ],
  ['no file in it', () => zipOf({}), /^Uploaded file must be a non-empty zip$/],
  [
    'a bomb',
    async () => claiming(await zipOf({ a: 'x' }), limit + 1),
    /^Unzipped size must be smaller than 262144000 bytes$/,
  ],
  ['a bomb of 4 GB', async () => claiming(await zipOf({ a: 'x' }), 0xffffffff), /ZIP64 is not supported/],
  ['zip64', () => zipOf({ a: 'x' }, { forceZip64Format: true }), /ZIP64 is not supported/],
])('refused: %s', async (_reason, zip, message) => {
  await expect(zip().then(check)).rejects.toThrow(message);
});
