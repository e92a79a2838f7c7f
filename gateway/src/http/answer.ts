/** A whole HTTP answer. */
export interface Answer {
  readonly status: number;
  /** Names and values in turn; never Content-Length, Connection or Date: the server adds those. */
  readonly headers: readonly string[];
  readonly body: Buffer | string;
}

/** The caller has gone: there is nobody to answer. */
export class CallerGone extends Error {
  constructor() {
    super('the caller closed the connection');
    this.name = 'CallerGone';
  }
}
