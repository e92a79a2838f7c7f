/** `node e2e/images/src/main.ts [--version VERSION] [--suffix SUFFIX] [--bundle] [NAME…]`: builds the images of a test run. */
import { parseArgs } from 'node:util';

import { buildImages } from './build-images.ts';
import { bundleImages } from './bundle-images.ts';
import { imageTable } from './image-table.ts';

const { values, positionals } = parseArgs({
  options: { version: { type: 'string' }, suffix: { type: 'string' }, bundle: { type: 'boolean' } },
  allowPositionals: true,
});
const built = await buildImages({
  names: positionals,
  ...(values.version === undefined ? {} : { version: values.version }),
  ...(values.suffix === undefined ? {} : { suffix: values.suffix }),
  onProgress: (text) => console.error(text),
});
console.log(imageTable(built));
if (values.bundle) console.log(await bundleImages(built));
