import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
const page = read('docs/lambda-api.md');

test.each([
  ['boto3', 'e2e/boto3/requirements.txt', /^boto3==(\S+)/m],
  ['@aws-sdk/client-lambda', 'e2e/package.json', /"@aws-sdk\/client-lambda": "(.+)"/],
  ['AWS SDK for Go v2, `service/lambda`', 'e2e/go-sdk/go.mod', /service\/lambda v(\S+)/],
])('%s is tried in the version that the documentation says', (name, file, pin) => {
  const [, version] = pin.exec(read(file)) ?? [];
  expect(page).toContain(`| ${name} | ${version} |`);
});
