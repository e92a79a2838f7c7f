import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';

/** Replaces each place in a bundle (`…/dist/gateway.js:12:34`) by the one in the sources that it was made of. @param maps folder with the bundles' source maps */
export function sourcePositions(text: string, maps: string): string {
  const read = new Map<string, SourceMap>();
  return text.replaceAll(
    /[^\s("]*\/dist\/([\w-]+\.js):(\d+):(\d+)/g,
    (place, file: string, line: string, column: string) => {
      const map = read.get(file) ?? new SourceMap(JSON.parse(readFileSync(join(maps, `${file}.map`), 'utf8')));
      read.set(file, map);
      const origin = map.findOrigin(Number(line), Number(column));
      return 'fileName' in origin
        ? `${origin.fileName.replace(/^(\.\.\/)+/, '')}:${origin.lineNumber}:${origin.columnNumber}`
        : place;
    },
  );
}
