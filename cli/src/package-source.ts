import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { ZipFile } from 'yazl';

/** Largest package that Lambda takes as a zip, bytes. */
const maxZipBytes = 50 * 1024 * 1024;
/** Folders that are never part of a function. */
const ignored = new Set(['.git', '.DS_Store', '__pycache__']);
/** The zip format's first day, local time: equal folders give equal bytes in every time zone. */
const fixedTime = new Date(1980, 0, 1);

/**
 * The zip of a folder, or the bytes of a .zip file. Deterministic: sorted paths, fixed times, modes 0644 or 0755.
 *
 * @throws Error when the path holds neither, holds a symbolic link, or is above 50 MiB as a zip
 */
export async function packageSource(path: string): Promise<Buffer> {
  const { isFile } = await stat(path).then((found) => ({ isFile: found.isFile() }));
  if (isFile && !path.endsWith('.zip')) throw new Error(`${path} is neither a folder nor a .zip file`);
  const bytes = isFile ? await readFile(path) : await zipFolder(path);
  if (bytes.length > maxZipBytes)
    throw new Error(`${path} is ${bytes.length} bytes as a zip; at most ${maxZipBytes} are allowed`);
  return bytes;
}

async function zipFolder(folder: string): Promise<Buffer> {
  const zip = new ZipFile();
  for (const file of (await filesOf(folder)).sort()) {
    const { mode } = await stat(file);
    const isExecutable = (mode & 0o111) !== 0;
    const options = { mtime: fixedTime, mode: isExecutable ? 0o100755 : 0o100644, forceDosTimestamp: true };
    zip.addBuffer(await readFile(file), relative(folder, file).split(sep).join('/'), options);
  }
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries
    .filter((entry) => !ignored.has(entry.name))
    .map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesOf(path);
      if (!entry.isFile()) throw new Error(`${path} is not a regular file: packages hold files and folders only`);
      return [path];
    });
  return (await Promise.all(found)).flat();
}
