/** A whole HTTP answer. */
export interface Answer {
  readonly status: number;
  /** Names and values in turn; never Content-Length, Connection or Date: the server adds those. */
  readonly headers: readonly string[];
  readonly body: Buffer | string;
}

/** An HTTP answer whose body is sent as it comes. */
export interface StreamedAnswer extends Pick<Answer, 'status' | 'headers'> {
  readonly source: AnswerSource;
}

/** Where a body comes from. It has one reader. */
export interface AnswerSource {
  /** The next piece; null = that was all. Rejects when it has broken off: what came is not all. */
  next(): Promise<Buffer | null>;
  /** The caller has gone; `next` is still asked until the end. */
  discard(): void;
}

/** The caller has gone: there is nobody to answer. */
export class CallerGone extends Error {
  constructor() {
    super('the caller closed the connection');
    this.name = 'CallerGone';
  }
}
