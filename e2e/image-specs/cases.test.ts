import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readRuntimes } from '@kappa/local/runtimes';

import { columns } from '../../runtime-images/cases/columns.ts';
import { playCases } from '../../runtime-images/cases/play.ts';
import { TestPod } from '../../runtime-images/nodejs/testing.ts';
import { buildImages } from '../images/src/build-images.ts';
import { imageName, images } from '../images/src/images.ts';
import { repository } from '../images/src/places.ts';
import { run } from '../images/src/run.ts';
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

  if (name.startsWith('kappa/runtime-java:'))
    test('the JVM has the classes of the client in its archive', async () => {
      const java = image.entrypoint.slice(image.entrypoint.indexOf('java'), -1).filter((option) => option !== '-jar');
      const training = ['-Xlog:class+load', '-cp', '/var/runtime/kappa-runtime.jar', 'dev.kappa.runtime.Training'];
      const script = 'mount -t proc none "$0/proc" && exec chroot "$0" "$@"';
      const said = await run('unshare', ['--mount', 'sh', '-ec', script, image.root, ...java, ...training]);
      expect(said).toMatch(/ com\.amazonaws\.\S+\.LambdaRuntimeApiClientImpl source: shared objects file \(top\)/);
    });

  if (name.startsWith('kappa/runtime-nodejs:'))
    test('handlers with a callback work up to Node.js 22, as on Lambda', async () => {
      const runtime = table.find((each) => each.image === name);
      const pod = await TestPod.start(runtime?.id ?? '', image);
      try {
        const source = "exports.handler = (event, context, callback) => callback(null, 'called');";
        await pod.claim({ files: { 'index.js': source }, handler: 'index.handler' });
        const { text } = await pod.invoke('{}');
        if (Number(runtime?.version) < 24) expect(text).toBe('"called"');
        else expect(JSON.parse(text)).toMatchObject({ errorType: 'Runtime.CallbackHandlerDeprecated' });
      } finally {
        await pod.stop();
      }
    });

  for (const { id } of table.filter((runtime) => runtime.image === name)) {
    for (const column of columns.filter(({ runtimes }) => runtimes.includes(id))) {
      playCases(`${column.title} as ${id}`, column, { runtime: id, place: () => image });
    }
  }
});
