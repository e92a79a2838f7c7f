import { expect, test } from '@jest/globals';
import { ZipFile } from 'yazl';

import { checkZip } from './zip-check.ts';

async function zipOf(files: Readonly<Record<string, string>>, comment = ''): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end({ comment, forceZip64Format: false });
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

test('a zip is taken, also with a comment', async () => {
  expect(() => checkZip(Buffer.alloc(0))).toThrow();
  checkZip(await zipOf({ 'index.mjs': 'x', 'lib/a.mjs': 'y' }));
  checkZip(await zipOf({ 'index.mjs': 'x' }, 'a comment'));
  checkZip(claiming(await zipOf({ a: 'x' }), 262_144_000));
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
  ['no file in it', () => zipOf({}), /^Uploaded file must be a non-empty zip$/],
  [
    'a bomb',
    async () => claiming(await zipOf({ a: 'x' }), 262_144_001),
    /^Unzipped size must be smaller than 262144000 bytes$/,
  ],
])('refused: %s', async (_reason, zip, message) => {
  const bytes = await zip();
  expect(() => checkZip(bytes)).toThrow(message);
});
