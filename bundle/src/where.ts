/** `node bundle/src/where.ts MAPS <LOG`: a log of an image, its stack traces in terms of the sources. MAPS: `docker build --target maps -o MAPS .` */
import { text } from 'node:stream/consumers';
import { sourcePositions } from './source-positions.ts';

const [maps] = process.argv.slice(2);
if (maps === undefined) throw new Error('usage: node bundle/src/where.ts MAPS <LOG');
process.stdout.write(sourcePositions(await text(process.stdin), maps));
