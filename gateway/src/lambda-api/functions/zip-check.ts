import { InvalidParameterValue } from '../../errors.ts';

/** Bytes that can be read from any place on. */
export interface ZipSource {
  readonly sizeBytes: number;
  /** So many bytes from there on, fewer at the end. */
  readonly read: (at: number, bytes: number) => Promise<Buffer>;
}

/** A zip that is in memory. */
export function zipInMemory(bytes: Buffer): ZipSource {
  return { sizeBytes: bytes.length, read: (at, count) => Promise.resolve(bytes.subarray(at, at + count)) };
}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
/** An entry with the longest name, extra field and comment. */
const MAX_ENTRY_BYTES = ENTRY_BYTES + 3 * 0xffff;
/** What is read of a directory at a time: 20,000 usual entries, two milliseconds. */
const WINDOW_BYTES = 1024 * 1024;
/** Stand for values that are in a zip64 record. */
const ELSEWHERE_16 = 0xffff;
const ELSEWHERE_32 = 0xffffffff;

/**
 * Looks at a zip's directory without unpacking anything: it says how large every file will be. One that lies is caught when the agent unpacks.
 *
 * @throws InvalidParameterValue when it is no zip, holds no file, or would be too large unpacked; in Lambda's words
 */
export async function checkZip(zip: ZipSource, maxUnpackedBytes: number): Promise<void> {
  if ((await unpackedBytesOf(zip)) > maxUnpackedBytes)
    throw new InvalidParameterValue(`Unzipped size must be smaller than ${maxUnpackedBytes} bytes`);
}

/**
 * Bytes that a zip says it has unpacked.
 *
 * @throws InvalidParameterValue when it is no zip, holds no file, or is one that the agent would not unpack; in Lambda's words
 */
export async function unpackedBytesOf(zip: ZipSource): Promise<number> {
  const directory = await findDirectory(zip);
  let total = 0;
  let window: Buffer = Buffer.alloc(0);
  let windowAt = directory.at;
  let at = directory.at;
  for (let entry = 0; entry < directory.entries; entry += 1) {
    const isCut = at + MAX_ENTRY_BYTES > windowAt + window.length && windowAt + window.length < directory.end;
    if (isCut) {
      window = await zip.read(at, Math.min(WINDOW_BYTES, directory.end - at));
      windowAt = at;
    }
    const { unpackedBytes, entryBytes } = readEntry(window.subarray(at - windowAt));
    total += unpackedBytes;
    at += entryBytes;
  }
  if (at !== directory.end) throw notAZip();
  return total;
}

interface Directory {
  readonly at: number;
  readonly end: number;
  readonly entries: number;
}

/** The end record stands at the end, before a comment of at most 64 KiB, and right behind the directory. */
async function findDirectory({ sizeBytes, read }: ZipSource): Promise<Directory> {
  const tailAt = Math.max(0, sizeBytes - END_BYTES - MAX_COMMENT_BYTES);
  const tail = await read(tailAt, sizeBytes - tailAt);
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    const isEnd = tail.readUInt32LE(at) === END_SIGNATURE;
    if (isEnd && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length)
      return readEnd(tail.subarray(at), tailAt + at);
  }
  throw notAZip();
}

function readEnd(record: Buffer, end: number): Directory {
  const entries = record.readUInt16LE(10);
  const bytes = record.readUInt32LE(12);
  const at = record.readUInt32LE(16);
  if (entries === ELSEWHERE_16 || bytes === ELSEWHERE_32 || at === ELSEWHERE_32) throw isZip64();
  if (entries === 0) throw new InvalidParameterValue('Uploaded file must be a non-empty zip');
  if (at + bytes !== end) throw notAZip();
  return { at, end, entries };
}

function readEntry(bytes: Buffer): { readonly unpackedBytes: number; readonly entryBytes: number } {
  if (bytes.length < ENTRY_BYTES || bytes.readUInt32LE(0) !== ENTRY_SIGNATURE) throw notAZip();
  const unpackedBytes = bytes.readUInt32LE(24);
  if (unpackedBytes === ELSEWHERE_32) throw isZip64();
  const rest = bytes.readUInt16LE(28) + bytes.readUInt16LE(30) + bytes.readUInt16LE(32);
  return { unpackedBytes, entryBytes: ENTRY_BYTES + rest };
}

function notAZip(): InvalidParameterValue {
  return new InvalidParameterValue('Could not unzip uploaded file. Please check your file, then try to upload again.');
}

function isZip64(): InvalidParameterValue {
  return new InvalidParameterValue(
    'Could not unzip uploaded file: ZIP64 is not supported, and packages of these sizes do not need it.',
  );
}
