import { SourceProblem } from './source-problem.ts';

/** What was called, for people. */
export interface AwsResource {
  /** e.g. `the queue orders`. */
  readonly name: string;
  /** Address of the service. */
  readonly endpoint: string;
}

const notFound = /NotFound|NonExistent|DoesNotExist|NoSuch/;
const denied =
  /AccessDenied|NotAuthorized|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch|MissingAuthentication|IncompleteSignature|InvalidSignature|ExpiredToken|OptInRequired|InvalidSecurity/;
const throttled = /Throttl|LimitExceeded|TooManyRequests|RequestLimit|SlowDown|ProvisionedThroughputExceeded|OverLimit/;
const invalid = /InvalidAddress|InvalidArn|ValidationException|InvalidParameter|UnsupportedOperation/;

/**
 * Why one of AWS's services did not do what it was asked for: by the name of its error where it has one, then by the status.
 *
 * @returns the problem itself when it already is one
 */
export function awsProblem(error: unknown, { name, endpoint }: AwsResource): SourceProblem {
  if (error instanceof SourceProblem) return error;
  const { code, status, text } = readError(error);
  const where = `at ${hostOf(endpoint)}`;
  const said = code === '' ? text : `${code}: ${text}`;
  const cause = { cause: error };
  if (error instanceof Error && error.name === 'CredentialsProviderError')
    return new SourceProblem(
      'CredentialsMissing',
      `this install has no credentials for the services ${where}: see docs/neighbours.md`,
      cause,
    );
  if (notFound.test(code) || status === 404)
    return new SourceProblem('SourceNotFound', `there is no ${name} ${where}; make it, or correct the ARN`, cause);
  if (denied.test(code) || status === 401 || status === 403)
    return new SourceProblem(
      'AccessDenied',
      `${where} the credentials of this install are refused for ${name} (${said})`,
      cause,
    );
  if (throttled.test(code) || status === 429)
    return new SourceProblem('Throttled', `${where} fewer calls are asked for (${said})`, cause);
  if (invalid.test(code)) return new SourceProblem('InvalidSource', `${name} cannot be read ${where} (${said})`, cause);
  return new SourceProblem('Unreachable', `${name} cannot be reached ${where} (${said})`, cause);
}

function readError(error: unknown): { readonly code: string; readonly status: number | null; readonly text: string } {
  if (!(error instanceof Error)) return { code: '', status: null, text: String(error) };
  const metadata: unknown = '$metadata' in error ? error.$metadata : null;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? Number(metadata.httpStatusCode)
      : null;
  const code = 'Code' in error && typeof error.Code === 'string' ? `${error.name} ${error.Code}` : error.name;
  const system = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const text = error.message === '' ? system : error.message; // several addresses that all refuse have no text
  return { code: status === null ? '' : code, status, text };
}

/** Host and port: an address may have a password in it. */
function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : 'an address that is none';
}
