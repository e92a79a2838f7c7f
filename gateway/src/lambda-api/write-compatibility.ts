/** Writes docs/lambda-compatibility.md. Run by `make generate`: `node gateway/src/lambda-api/write-compatibility.ts`. */
import { writeFileSync } from 'node:fs';

import { compatibilityPage } from './compatibility.ts';

writeFileSync(new URL('../../../docs/lambda-compatibility.md', import.meta.url), compatibilityPage());
