import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { readRuntimes } from '@kappa/local/runtimes';

import { columns } from '../../runtime-images/cases/columns.ts';
import { playCases } from '../../runtime-images/cases/play.ts';
import { buildImages } from '../images/src/build-images.ts';
import { imageName, images } from '../images/src/images.ts';
import { repository } from '../images/src/places.ts';
import { type UnpackedImage, unpackImage } from '../images/src/unpack-image.ts';

/*
 * Every case of runtime-images/cases in the files of each runtime image that can be built here, started by its own entry point as its own
 * user. Needs root on Debian.
 */

const table = readRuntimes(join(repository, 'runtime-images'));
const built = images.map((image) => imageName(image, { version: '', suffix: '' }));

describe.each(built.filter((name) => name.startsWith('kappa/runtime-')))('%s', (name) => {
  let image: UnpackedImage;
  beforeAll(async () => {
    const [{ archive } = { archive: '' }] = await buildImages({ names: [name] });
    image = await unpackImage(archive);
  }, 600_000);
  afterAll(() => rmSync(dirname(image.root), { recursive: true }));

  for (const { id } of table.filter((runtime) => runtime.image === name)) {
    for (const column of columns.filter(({ runtimes }) => runtimes.includes(id))) {
      playCases(`${column.title} as ${id}`, column, { runtime: id, place: () => image });
    }
  }
});
