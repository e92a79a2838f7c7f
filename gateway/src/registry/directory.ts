import type { PoolPod } from '../dispatch/types.ts';
import type { RoutedFunction } from './routing.ts';
import type { AliasView, FunctionView, VersionView } from './views.ts';

/** What this gateway has seen of one function. It may be behind the API server. */
export interface Sight {
  readonly fn: FunctionView | undefined;
  /** As calls are routed now. */
  readonly routed: RoutedFunction | undefined;
  /** All FunctionVersions of it. */
  readonly versions: readonly VersionView[];
  readonly aliases: readonly AliasView[];
}

/** Where the Lambda API finds objects by Lambda's names. Never waits for an update that is under way. */
export interface Directory {
  /** The namespaces that are the account, by name. */
  namespacesOf(accountId: string): Promise<readonly string[]>;
  /** The first of them; undefined = none. */
  namespaceOf(accountId: string): Promise<string | undefined>;
  /** The Function that callers reach by this name; undefined = none has been seen. */
  locate(accountId: string, functionName: string): Promise<FunctionView | undefined>;
  /** @param key namespace/name of a Function */
  look(key: string): Sight;
  /** Pods that hold a version, as the cluster shows them; those that have ended too, until they are removed. */
  podsOf(versionUid: string): readonly PoolPod[];
  /** All functions of an account that can be called by their names. */
  ofAccount(accountId: string): readonly FunctionView[];
}
