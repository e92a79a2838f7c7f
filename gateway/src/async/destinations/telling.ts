import type { FailureTarget } from '../settings.ts';
import type { RecordSource } from './record.ts';

/** One final outcome on its way to one ARN. */
export interface Telling extends RecordSource {
  readonly kind: FailureTarget['kind'];
  /** Whom to tell. */
  readonly arn: string;
  /** The function's namespace: its neighbours are told. */
  readonly namespace: string;
}

/** Tells of an outcome. Rejects when it was not confirmed; then it is told again, so it may be heard twice. */
export type Teller = (telling: Telling) => Promise<void>;
