import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

import { compatibilityPage } from './compatibility.ts';

const page = compatibilityPage();

test('the page is the table as it is now', () => {
  expect(readFileSync(new URL('../../../docs/lambda-compatibility.md', import.meta.url), 'utf8')).toBe(page);
});

test('no row is blank', () => {
  const rows = page.split('\n').filter((line) => /^\| [A-Z]/.test(line));
  expect(rows).toHaveLength(91);
  for (const row of rows) expect(row).toMatch(/^\| \w+ \| (supported|stored|unsupported) \| \S.* \|$/);
});
