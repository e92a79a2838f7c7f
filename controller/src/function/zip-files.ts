import { ZipFile } from 'yazl';

/** One file of a function's inline code. */
export interface SourceFile {
  /** Path inside the package, relative, `/` between folders. */
  readonly path: string;
  readonly content: string;
}

/** The zip format's first day. Local time on purpose: zip stores local time, so every time zone gives the same bytes. */
const fixedTime = new Date(1980, 0, 1);

/**
 * Makes a zip of inline files. Deterministic: sorted paths, fixed times, modes that follow from the contents, so that the digest depends on
 * paths and contents only. A manifest has no place for modes: what begins with `#!` is a program.
 */
export async function zipFiles(files: readonly SourceFile[]): Promise<Buffer> {
  const zip = new ZipFile();
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    zip.addBuffer(Buffer.from(file.content, 'utf8'), file.path, {
      mtime: fixedTime,
      mode: file.content.startsWith('#!') ? 0o100755 : 0o100644,
      forceDosTimestamp: true,
    });
  }
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
