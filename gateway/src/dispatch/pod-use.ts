import type { Holder } from '../link/link.ts';

/*
 * What this gateway uses a pool pod for. "Told" = by WELCOME, STATE or FENCED.
 *
 *   use        | told: generic | told: claimed, by whom decides the owner  | link lost           | informer: leaving or deleted
 *   none       | -> generic    | -> slot (own, or ADOPT sent), held (by    | stays; dialled again| stays; not dialled any more
 *              |               |    another live owner), orphan (version   |                     |
 *              |               |    unknown)                               |                     |
 *   generic    | -             | the same, at once                         | -> none             | -> none
 *   slot       | -             | own: Foreign or Adopting may be free now; | slot lost -> none   | idle: slot lost, -> condemned;
 *              |               | another's: not busy here: slot forgotten, |                     | busy: after its REPORT
 *              |               |   decided anew; busy here: after REPORT   |                     |
 *   held       | -> generic    | decided anew                              | -> none             | stays
 *   orphan     | -> generic    | decided anew                              | -> none             | stays
 *   condemned  | DRAIN again   | DRAIN again                               | stays               | stays
 *
 * The pod is linked while the informer shows it ready, whatever its use.
 */
export type PodUse = 'none' | 'generic' | 'slot' | 'held' | 'orphan' | 'condemned';

/** What a claimed pod is, as it was told last; kept when the link is lost. */
export interface PodClaim {
  readonly versionUid: string;
  /** Null = its agent knows no holders (protocol 1). */
  readonly holder: Holder | null;
  /** Request ids that run there. */
  readonly busy: readonly string[];
}
