import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refusalIn } from './aws-cli.ts';
import type { AwsSession } from './aws-session.ts';
import type { Members } from './lambda-cases.ts';
import { type CaseClient, Refusal } from './play-cases.ts';

/** The `aws` command as the cases use it: what is no file to it travels by --cli-input-json. It does not tell statuses. */
export function cliCaseClient(session: AwsSession): CaseClient & { end(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-cli-'));
  const zipFile = join(folder, 'code.zip');
  const answerFile = join(folder, 'answer');
  return {
    // version 1 of the command has taken this one out
    knows: (operation) => session.operations.has(operation) && operation !== 'InvokeWithResponseStream',
    send: async (operation, input) => {
      const { zip, rest } = withoutZip(input);
      if (zip !== null) writeFileSync(zipFile, zip);
      const args = [
        ...['lambda', kebabOf(operation), '--no-paginate'],
        ...(operation === 'Invoke' ? [...optionsOf(rest), answerFile] : ['--cli-input-json', JSON.stringify(rest)]),
        ...(zip === null ? [] : ['--zip-file', `fileb://${zipFile}`]),
      ];
      const { code, stdout, stderr } = await session.run(args);
      const refusal = refusalIn(stderr);
      if (refusal !== null) throw new Refusal(refusal.code, refusal.text, null);
      if (code !== 0) throw new Error(`aws ${args.slice(0, 2).join(' ')} ended with ${code}: ${stderr.slice(0, 1000)}`);
      const output: Members = stdout.trim() === '' ? {} : JSON.parse(stdout);
      const payload = operation === 'Invoke' ? { Payload: readFileSync(answerFile, 'utf8') } : {};
      return { output: { ...output, ...payload }, status: null };
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function kebabOf(name: string): string {
  return name.replaceAll(/(?<!^)[A-Z]/g, '-$&').toLowerCase();
}

/** Where an answer goes to a file, the command wants its options one by one. */
function optionsOf(input: Members): readonly string[] {
  return Object.entries(input).flatMap(([name, value]) => [`--${kebabOf(name)}`, String(value)]);
}

/** A zip goes by its own option, which takes nothing but zips; any other text stays where it is. */
function withoutZip(input: Members): { readonly zip: Buffer | null; readonly rest: Members } {
  for (const member of ['Code', 'Content'] as const) {
    if (Object(input[member]).ZipFile === undefined) continue;
    const { zip, rest } = withoutZip(Object(input[member]) as Members);
    const { [member]: _taken, ...others } = input;
    return { zip, rest: zip === null ? { ...others, [member]: rest } : others };
  }
  const { ZipFile, ...rest } = input;
  if (ZipFile === undefined) return { zip: null, rest };
  const bytes = Buffer.from(String(ZipFile), 'base64');
  return bytes.subarray(0, 2).toString() === 'PK'
    ? { zip: bytes, rest }
    : { zip: null, rest: { ...rest, ZipFile: bytes.toString() } };
}
