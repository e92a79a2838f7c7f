import type { AcceptEvent } from '../async/accept.ts';
import type { Principal } from '../auth/authenticator.ts';
import type { BlobStore, Spooled } from '../blobs/blob-store.ts';
import type { PassRole } from '../iam/pass-role.ts';
import type { Directory } from '../registry/directory.ts';
import type { Resolved } from '../registry/functions.ts';
import type { CodeLimits } from './code-limits.ts';
import type { Objects } from './objects.ts';
import type { Uploads } from './uploads/uploads.ts';

/** What a handler gets. Input was validated against the model, and the caller may use the account. */
export interface OperationCall<Input> {
  readonly input: Input;
  readonly principal: Principal;
  /** Account that the call is about: of the ARN, else the caller's own, else the default one. */
  readonly accountId: string;
  /** The account's namespace. */
  readonly namespace: string;
  readonly requestId: string;
  /** How the caller reaches this gateway, for example `http://127.0.0.1:9000`. */
  readonly origin: string;
  /** `X-Amzn-Trace-Id` of the request. */
  readonly trace?: string | string[] | undefined;
  /** What the input's FunctionName, or the ARN in its Resource, says. */
  readonly fn: NamedFunction;
}

/** A function as the caller named it; it need not exist. */
export interface NamedFunction {
  /** Lambda's name; empty when the operation is about no function. */
  readonly name: string;
  /** `$LATEST`, a version's number or an alias; null = none was given. */
  readonly qualifier: string | null;
  /** Without a qualifier. */
  readonly arn: string;
}

/** Which function a call is about. */
export type CallOfFunction = Pick<OperationCall<unknown>, 'accountId' | 'namespace' | 'fn'>;

/** What handlers work with. */
export interface ApiDeps {
  readonly objects: Objects;
  readonly directory: Directory;
  readonly blobs: Pick<BlobStore, 'put' | 'get' | 'sizeOf'>;
  readonly codeLimits: CodeLimits;
  readonly uploads: Uploads;
  /** The version that a label, percent-encoded, and a query mean. @throws LambdaError */
  readonly resolve: (label: string, query: string) => Resolved | Promise<Resolved>;
  /** Keeps an asynchronous invocation. @throws LambdaError */
  readonly accept: AcceptEvent;
  /** Fetches a zip that lies in S3, for a namespace that may have it. The caller discards it. @throws LambdaError */
  readonly readS3: (source: S3Source, namespace: string) => Promise<Spooled>;
  /** Whether a caller may give a function this role; absent = any role will do. */
  readonly passRole?: PassRole;
  readonly region: string;
  /** Where the gateways themselves are. */
  readonly systemNamespace: string;
  /** Concurrent executions of one account. */
  readonly accountConcurrency: number;
  /** An address below `origin` that answers a GET with a blob for some minutes. */
  readonly codeUrl: (origin: string, sha256: string) => string;
  /** This install as callers see it, no slash at the end. */
  readonly publicUrl: string;
  readonly arnOf: (accountId: string, functionName: string) => string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** An object in S3. */
export interface S3Source {
  readonly bucket: string;
  readonly key: string;
  readonly version: string | undefined;
}

/** A handler answers the model's output (the SDK's type without $metadata). @throws LambdaError */
export type Handler<Input, Output extends object> = (call: OperationCall<Input>, deps: ApiDeps) => Promise<Output>;

/** Polls until `holds` answers true, for at most `withinMs`; answers whether it did. */
export async function comesTrue(
  { nowMs, sleep }: Pick<ApiDeps, 'nowMs' | 'sleep'>,
  withinMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const endMs = nowMs() + withinMs;
  while (!(await holds())) {
    if (nowMs() >= endMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}

const POLL_MS = 5;
