import type { BuiltImage } from './build-images.ts';

/** The images as lines for people: name, sizes in MB (10^6 bytes), seconds, archive. */
export function imageTable(built: readonly BuiltImage[]): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const rows = built.map((image) => [
    image.name,
    megabytes(image.bytes),
    megabytes(image.unpackedBytes),
    `${image.seconds}${image.isCached ? ' (cached)' : ''}`,
    image.archive,
  ]);
  const table = [['image', 'compressed MB', 'unpacked MB', 'seconds', 'archive'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}
