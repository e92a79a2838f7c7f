/** `node e2e/images/src/main.ts [--version VERSION] [NAME…]`: builds the images of a test run and says where they are. */
import { parseArgs } from 'node:util';

import { buildImages } from './build-images.ts';
import { imageTable } from './image-table.ts';

const { values, positionals } = parseArgs({ options: { version: { type: 'string' } }, allowPositionals: true });
const built = await buildImages({
  names: positionals,
  ...(values.version === undefined ? {} : { version: values.version }),
  onProgress: (text) => console.error(text),
});
console.log(imageTable(built));
