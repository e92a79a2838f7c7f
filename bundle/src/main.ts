/** `node bundle/src/main.ts FOLDER`: writes what the images of gateway and controller run into the folder. */
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node bundle/src/main.ts FOLDER');
const packages = await bundle(fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, ''), folder);
console.log(`${folder}: bundles with parts of ${packages.length} packages`);
