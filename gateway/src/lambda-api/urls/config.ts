import type { Cors, FunctionUrlConfig } from '@aws-sdk/client-lambda';
import type { FunctionHttp, FunctionHttpCors } from '@kappa/crds/function';
import { functionUrlAddress } from '@kappa/crds/function-url';

import type { HttpView } from '../../registry/views.ts';
import type { ApiDeps, NamedFunction } from '../call.ts';
import type { Place } from '../functions/find.ts';

/** What spec.http says about a URL that there is. */
export type UrlSettings = Omit<FunctionHttp, 'auth' | 'routes'> & { readonly auth: NonNullable<FunctionHttp['auth']> };

/** What a request says about a URL. */
export interface UrlInput {
  readonly AuthType?: 'NONE' | 'AWS_IAM' | undefined;
  readonly Cors?: Cors | undefined;
  readonly InvokeMode?: 'BUFFERED' | 'RESPONSE_STREAM' | undefined;
}

/**
 * The URL after a request; what the request does not mention stays. AuthType NONE is `Policy`: only a manifest can say `None`, which grants
 * something, and a request that says NONE again does not take it away.
 *
 * @param before null = there is none yet
 */
export function changedUrl(
  before: UrlSettings | null,
  { AuthType, Cors, InvokeMode }: UrlInput,
  now: string,
): UrlSettings {
  const { cors, ...rest } = before ?? { auth: 'Policy', invokeMode: 'Buffered', created: now };
  const after = Cors === undefined ? cors : corsOf(Cors);
  return {
    ...rest,
    auth: AuthType === undefined ? rest.auth : authOf(AuthType, rest.auth),
    ...(InvokeMode !== undefined && { invokeMode: InvokeMode === 'BUFFERED' ? 'Buffered' : 'ResponseStream' }),
    ...(after !== undefined && { cors: after }),
    lastModified: now,
  };
}

function authOf(type: 'NONE' | 'AWS_IAM', before: UrlSettings['auth']): UrlSettings['auth'] {
  if (type === 'AWS_IAM') return 'AwsIam';
  return before === 'None' ? 'None' : 'Policy';
}

/** The URL's part of spec.http; null = there is no URL. */
export function urlSettings(http: FunctionHttp | undefined): UrlSettings | null {
  if (http?.auth === undefined) return null;
  const { auth, routes: _routes, ...rest } = http;
  return { ...rest, auth };
}

/** undefined = no rules at all: an empty object takes them away. */
function corsOf(cors: Cors): FunctionHttpCors | undefined {
  if (Object.values(cors).every((value) => value === undefined)) return undefined;
  return {
    allowOrigins: cors.AllowOrigins ?? [],
    allowMethods: (cors.AllowMethods ?? []) as FunctionHttpCors['allowMethods'], // others the API server refuses, and says which there are
    allowHeaders: cors.AllowHeaders ?? [],
    exposeHeaders: cors.ExposeHeaders ?? [],
    allowCredentials: cors.AllowCredentials ?? false,
    maxAgeSeconds: cors.MaxAge ?? 0,
  };
}

/** The object that the URL belongs to. */
export interface UrlOwner extends Place {
  readonly alias: string | null;
  /** Epoch milliseconds. */
  readonly createdMs: number | null;
}

/** The URL in Lambda's words. What kubectl made is as old as its object. */
export function configurationOf(
  http: HttpView,
  owner: UrlOwner,
  named: NamedFunction,
  { publicUrl }: Pick<ApiDeps, 'publicUrl'>,
): FunctionUrlConfig {
  const { auth, cors, invokeMode } = http;
  const created = http.created ?? new Date(owner.createdMs ?? 0).toISOString();
  return {
    FunctionUrl: functionUrlAddress(publicUrl, owner),
    FunctionArn: owner.alias === null ? named.arn : `${named.arn}:${owner.alias}`,
    AuthType: auth === 'AwsIam' ? 'AWS_IAM' : 'NONE',
    ...(cors !== null && { Cors: shownCors(cors) }),
    CreationTime: created,
    LastModifiedTime: http.lastModified ?? created,
    InvokeMode: invokeMode === 'Buffered' ? 'BUFFERED' : 'RESPONSE_STREAM',
  };
}

/** What is not set is left out, as in Lambda. */
function shownCors(cors: FunctionHttpCors): Cors {
  return {
    ...(cors.allowCredentials && { AllowCredentials: true }),
    ...(cors.allowHeaders.length > 0 && { AllowHeaders: [...cors.allowHeaders] }),
    ...(cors.allowMethods.length > 0 && { AllowMethods: [...cors.allowMethods] }),
    ...(cors.allowOrigins.length > 0 && { AllowOrigins: [...cors.allowOrigins] }),
    ...(cors.exposeHeaders.length > 0 && { ExposeHeaders: [...cors.exposeHeaders] }),
    ...(cors.maxAgeSeconds > 0 && { MaxAge: cors.maxAgeSeconds }),
  };
}
