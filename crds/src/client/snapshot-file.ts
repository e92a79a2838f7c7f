import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isJsonObject } from '../parse-meta.ts';

/** What a file must be of, word by word, to be read: what else is in it was written by something else. */
export interface SnapshotHead {
  /** Which collection, for example the path of a watch with its selectors. */
  readonly scope: string;
  /** Counts the forms that the values have had. */
  readonly shape: number;
}

/** One entry: a key, a version of the value, the value as JSON gives it back. */
export type SnapshotEntry = readonly [key: string, version: string, value: unknown];

/** A file is there, but not what was written, or not by this. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

const format = 'kappa-snapshot/1';
/** Entries that are turned into text between two turns of the event loop: about 1 ms. */
const entriesPerTurn = 250;

/**
 * Writes a snapshot, whole or not at all: lines of JSON and a sha256 at the end, into a file beside it that is then renamed. Only the
 * owner may read it (0600), since values may be secret. Meant for a tmpfs: nothing is synced, so that it outlives the process, not
 * the machine. Gives way to other work all the time.
 *
 * @returns bytes written
 */
export async function writeSnapshot(
  path: string,
  head: SnapshotHead,
  entries: readonly SnapshotEntry[],
): Promise<number> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}`;
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(temporary, 'wx', 0o600);
  try {
    const write = async (text: string): Promise<void> => {
      hash.update(text);
      bytes += (await file.write(text)).bytesWritten;
    };
    await write(`${JSON.stringify({ format, ...head, entries: entries.length })}\n`);
    for (let at = 0; at < entries.length; at += entriesPerTurn) {
      const lines = entries.slice(at, at + entriesPerTurn).map((entry) => `${JSON.stringify(entry)}\n`);
      await write(lines.join(''));
      await nextTurn();
    }
    await file.write(`${hash.digest('hex')}\n`);
    await file.close();
    await rename(temporary, path);
    return bytes;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Reads a snapshot at once (1,000 entries: a few ms; it is needed at the start, when nothing else runs).
 *
 * @returns null when there is none
 * @throws SnapshotError when there is something else
 */
export function readSnapshot(path: string, head: SnapshotHead): readonly SnapshotEntry[] | null {
  const text = readText(path);
  if (text === null) return null;
  const wrong = (why: string): SnapshotError => new SnapshotError(`snapshot ${path} is not used: ${why}`);
  const sumAt = text.lastIndexOf('\n', text.length - 2) + 1;
  const body = text.slice(0, sumAt);
  if (createHash('sha256').update(body).digest('hex') !== text.slice(sumAt).trimEnd()) throw wrong('it is damaged');
  const [first = '', ...lines] = body.trimEnd().split('\n');
  const found: unknown = JSON.parse(first); // the sum was right: this process's own kind wrote it
  if (!isJsonObject(found) || found['format'] !== format) throw wrong('its format is another one');
  if (found['scope'] !== head.scope || found['shape'] !== head.shape) throw wrong('it is of something else');
  const entries = lines.map((line): unknown => JSON.parse(line)).filter(isEntry);
  if (entries.length !== found['entries']) throw wrong('it has other entries than it says');
  return entries;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
    throw new SnapshotError(`snapshot ${path} cannot be read`, { cause: error });
  }
}

function isEntry(value: unknown): value is SnapshotEntry {
  return Array.isArray(value) && value.length === 3 && typeof value[0] === 'string' && typeof value[1] === 'string';
}
