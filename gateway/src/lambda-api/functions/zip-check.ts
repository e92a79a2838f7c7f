import { unpackedMaxBytes } from '@kappa/crds/limits';

import { InvalidParameterValue } from '../../errors.ts';

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
/** Stands for a value that is in a zip64 record. */
const ELSEWHERE = 0xffffffff;

/**
 * Looks at a zip's directory without unpacking anything. What the directory hides, the agent finds when it unpacks.
 *
 * @throws InvalidParameterValue when it is no zip, holds no file, or would be too large unpacked; in Lambda's words
 */
export function checkZip(zip: Buffer): void {
  if (unpackedBytesOf(zip) > unpackedMaxBytes)
    throw new InvalidParameterValue(`Unzipped size must be smaller than ${unpackedMaxBytes} bytes`);
}

/**
 * Bytes that a zip says it has unpacked; 0 for zip64, which the agent reads.
 *
 * @throws InvalidParameterValue when it is no zip, or holds no file; in Lambda's words
 */
export function unpackedBytesOf(zip: Buffer): number {
  const endAt = findEnd(zip);
  if (endAt < 0) throw notAZip();
  const directoryAt = zip.readUInt32LE(endAt + 16);
  if (directoryAt === ELSEWHERE) return 0;
  if (zip.readUInt16LE(endAt + 10) === 0) throw new InvalidParameterValue('Uploaded file must be a non-empty zip');
  if (directoryAt + zip.readUInt32LE(endAt + 12) > endAt) throw notAZip();
  return sumOfEntries(zip.subarray(directoryAt, endAt), zip.readUInt16LE(endAt + 10));
}

/** The end record stands at the end, before a comment of at most 64 KiB. */
function findEnd(zip: Buffer): number {
  const first = Math.max(0, zip.length - END_BYTES - 0xffff);
  for (let at = zip.length - END_BYTES; at >= first; at -= 1) if (zip.readUInt32LE(at) === END_SIGNATURE) return at;
  return -1;
}

function sumOfEntries(directory: Buffer, entries: number): number {
  let at = 0;
  let total = 0;
  for (let entry = 0; entry < entries; entry += 1) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw notAZip();
    total += directory.readUInt32LE(at + 24);
    const rest = directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    at += ENTRY_BYTES + rest;
  }
  return total;
}

function notAZip(): InvalidParameterValue {
  return new InvalidParameterValue('Could not unzip uploaded file. Please check your file, then try to upload again.');
}
