import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root: the build context of every image of Kappa's own. */
export const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** What survives a checkout: archives, parts and the builder's storage. */
export const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kappa-cluster', 'images');
