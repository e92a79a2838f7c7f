/**
 * An asynchronous invocation on its way: what was accepted with 202 and is not settled yet.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
 */
export interface AsyncEvent {
  /** Request id that the caller got; the same for every attempt, so that a handler can tell a repetition. */
  readonly id: string;
  /** Line that the event waits in: `namespace/name` of the Function object. Lines are independent of each other. */
  readonly line: string;
  /** Version or alias that was asked for; undefined = `$LATEST`, resolved anew at each attempt, as an alias may have moved. */
  readonly qualifier?: string;
  /** ARN as the function shall see it, with the qualifier of the caller. */
  readonly invokedArn: string;
  readonly accountId: string;
  /** Body of the request, JSON, at most 1 MiB. */
  readonly payload: Buffer;
  /** `X-Amzn-Trace-Id` with the chain of calls that loop detection counts. */
  readonly traceId?: string;
  /** When 202 was about to be answered: the age of the event counts from here, ms since 1970. */
  readonly acceptedMs: number;
}

/** What became of the latest attempt, as destinations and `kappa events show` tell it. */
export interface AttemptResult {
  /** 200 when the function ran (also when it failed), else the status of the refusal (429, 5xx). */
  readonly statusCode: number;
  /** `Unhandled` when the function failed. */
  readonly functionError?: string;
  readonly executedVersion?: string;
  /** The function's answer or the error object, JSON; longer answers are cut to 256 KiB and marked as cut. */
  readonly payload?: Buffer;
  readonly payloadCut?: true;
}

/** How far an event has come. */
export interface Progress {
  /** Attempts that ran and failed: 0 for a new event. */
  readonly attempts: number;
  /** Attempts in a row that found no capacity: exponent of the next pause. 0 after one that ran. */
  readonly refusals: number;
  /** Looks in a row that found no such function, version or alias. Absent = 0. */
  readonly missing?: number;
  readonly last?: AttemptResult;
  /** Set once the outcome is final and a destination has still to be told: no attempt of the function is made any more. */
  readonly delivery?: Delivery;
}

/** A final outcome that a destination has to be told. */
export interface Delivery {
  readonly condition: Condition;
  readonly decidedMs: number;
  /** Deliveries that failed so far. */
  readonly failures: number;
  /** ARNs that have heard of it, where there are several to be told. Absent = none has. */
  readonly told?: readonly string[];
}

/** Why an event is at its end, in the words of AWS's invocation records. */
export type Condition =
  | 'Success'
  | 'RetriesExhausted'
  | 'EventAgeExceeded'
  | 'ZeroReservedConcurrency'
  | 'RecursiveInvocationDropped'
  /** Kappa's own: the function or the version is gone. */
  | 'FunctionNotFound';
