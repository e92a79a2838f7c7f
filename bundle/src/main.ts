/** `node bundle/src/main.ts FOLDER`: writes what the images of gateway and controller run into FOLDER/app, source maps into FOLDER/maps. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node bundle/src/main.ts FOLDER');
const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const packages = await bundle(root, resolve(folder));
console.log(`${folder}: bundles with parts of ${packages.length} packages`);
