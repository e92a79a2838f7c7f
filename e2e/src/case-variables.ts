import { createHash } from 'node:crypto';
import { zipWithEntry } from './platform.ts';

/** Bytes of the greatest event and of the greatest answer of a function: 6 MiB and 100. */
const greatestBytes = 6 * 1024 * 1024 + 100;

/** Answers with its event, a text of its own, a text of any size, or fails: as the event asks. */
const source = (edition: string) => `export const handler = async (event) => {
  if (event.fail) throw new Error(event.fail);
  if (event.edition) return '${edition}';
  return event.grow ? 'x'.repeat(event.grow) : event;
};`;

/** What `<…>` stands for in the cases of one account. */
export async function caseVariables(account: string): Promise<Readonly<Record<string, string | number>>> {
  const zip = await zipWithEntry('index.mjs', source('first'));
  const secondZip = await zipWithEntry('index.mjs', source('second'));
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64');
  const event = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;
  return {
    account,
    role: `arn:aws:iam::${account}:role/any`,
    fn: `arn:aws:lambda:us-east-1:${account}:function`,
    layer: `arn:aws:lambda:us-east-1:${account}:layer`,
    queue: `arn:aws:sqs:us-east-1:${account}:jobs`,
    codeSigningConfig: `arn:aws:lambda:us-east-1:${account}:code-signing-config:csc-0123456789abcdef0`,
    zip: zip.toString('base64'),
    zipBytes: zip.length,
    zipSha256: sha256(zip),
    secondZip: secondZip.toString('base64'),
    secondZipSha256: sha256(secondZip),
    notZip: Buffer.from('no zip').toString('base64'),
    greatestEvent: event(greatestBytes),
    tooGreatEvent: event(greatestBytes + 1),
    greatestAsyncEvent: event(1_048_576),
    tooGreatAsyncEvent: event(1_048_577),
    longText: 'x'.repeat(1900),
    tooLongName: 'x'.repeat(65),
  };
}
