import { addressGuard } from './address-guard.ts';
import type { OpenDeps } from './source.ts';
import { SourceProblem } from './source-problem.ts';

/** What a source works with, in tests: AWS's services at this address, and these secrets by their names. */
export function openDeps(
  endpoint: string,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): OpenDeps {
  return {
    signal: new AbortController().signal,
    now: Date.now,
    secret: (uri) => {
      const found = secrets[uri];
      return found === undefined
        ? Promise.reject(new SourceProblem('CredentialsMissing', `there is no secret ${uri}`))
        : Promise.resolve(found);
    },
    aws: () => ({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      requestHandler: { requestTimeout: 30_000 },
    }),
    guard: addressGuard({ allow: ['127.0.0.0/8', '::1'], refuse: [] }),
    onProblem: () => undefined,
  };
}
